"""Worker processes that start clean, leave Ctrl-C to their parent, and end with it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any


@contextmanager
def processes(
    workers: int, start: Callable[..., object] | None = None, *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes; what was not begun when the block ends is dropped.

    Args:
        workers: how many; each takes a second or more to start, for it imports what it runs.
        start: run once in each process, before its first task.
        arguments: of `start`.
    """
    # spawn: a fork would copy the threads' locks of torch and DuckDB as they stand
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start, initargs=(start, arguments)
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start(start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*arguments)


def _end_with_parent() -> None:
    """A pool's processes outlive a parent that was killed: they wait for work for ever."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
