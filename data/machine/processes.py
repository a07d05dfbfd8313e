"""Worker processes that start clean and end with their parent; and how many are of use."""

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from data.errors import RunError
from data.machine.cgroups import ControlGroup, control_groups

# How soon a death is seen, and how long a pool has to see it for itself.
_POLL_SECONDS = 1.0
_POOL_REACTION_SECONDS = 2.0


@dataclass(frozen=True)
class Work:
    """What processes do, and what to do if one of them dies, both in words for a person."""

    described: str = "work in several processes"
    remedy: str = "free some memory, then try again"

    @contextmanager
    def raising_run_error(self) -> Iterator[None]:
        """Around whatever asks the processes for something.

        Raises:
            RunError: a process died, at its start, in a task or between two.
        """
        try:
            yield
        except BrokenProcessPool:
            raise RunError(
                self.described,
                found="a worker process that died, perhaps for want of memory",
                expected="processes that work to the end",
                remedy=self.remedy,
            ) from None


@contextmanager
def processes(
    workers: int,
    start: Callable[..., object] | None = None,
    *arguments: Any,
    work: Work = Work(),
) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes; what was not begun when the block ends is dropped.

    Args:
        workers: how many; each takes a second or more to start, for it imports what it runs.
        start: run once in each process, before its first task.
        arguments: of `start`.
        work: what a person reads where a process died and the block did not say so itself.

    Raises:
        RunError: as `Work.raising_run_error`.
    """
    # spawn: a fork would copy the threads' locks of torch and DuckDB as they stand
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_initialise, initargs=(start, arguments)
    )
    ended = threading.Event()
    watcher = threading.Thread(target=_death_watch(pool, ended), daemon=True)
    watcher.start()
    try:
        with work.raising_run_error():
            yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        ended.set()
        watcher.join()


def _death_watch(pool: ProcessPoolExecutor, ended: threading.Event) -> Callable[[], None]:
    """What sees to it that a pool notices the death of a process, until it has `ended`.

    A process that dies within the writing of a result leaves the pool reading the rest of it for
    ever: this process and the other workers hold the pipe's other end open.
    """
    # taken now: a pool forgets them when it is told to shut down
    workers, lock = pool._processes, pool._shutdown_lock
    results: Any = pool._result_queue

    def watch() -> None:
        while not ended.wait(_POLL_SECONDS):
            if any(worker.exitcode for worker in list(workers.values())):
                break
        if ended.wait(_POOL_REACTION_SECONDS):
            return
        with lock:  # nothing is submitted, so no worker started, meanwhile
            pool._broken = True
            for worker in list(workers.values()):
                worker.kill()
            # the last open end: the pool's reader comes to the pipe's end
            results._writer.close()

    return watch


def _initialise(start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*arguments)


def _end_with_parent() -> None:
    """A pool's processes outlive a parent that was killed: they wait for work for ever."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def cores() -> int:
    """Cores for the processes or threads of a command, at least 1.

    The machine's number, less what the process is not allowed to run on (`taskset`, a batch
    system), less what a container's quota of processor time leaves (`docker run --cpus 2`).
    """
    # macOS and Windows have no affinity to ask for
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    quota = cgroup_quota()
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def cgroup_quota(root: Path | None = None, own: Path | None = None) -> float | None:
    """Cores' worth of time that Linux control groups grant; None where they set no limit.

    Args:
        root: as in `control_groups`.
        own: likewise.
    """
    quotas = [
        quota for group in control_groups("cpu", root, own) if (quota := _quota(group)) is not None
    ]
    return min(quotas, default=None)


def _quota(group: ControlGroup) -> float | None:
    """Quota over period, both in microseconds; `max` and -1 say that there is no limit."""
    if group.version == 1:
        words = [group.text(f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    else:
        words = group.text("cpu.max").split()
    try:
        quota, period = (int(word) for word in words)
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None
