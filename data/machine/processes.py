"""Pools of worker processes that end with their parent, and how many workers to use."""

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

# How often workers are checked, and how long a pool may take to notice a death by itself.
_POLL_SECONDS = 1.0
_POOL_REACTION_SECONDS = 2.0


@dataclass(frozen=True)
class Work:
    """What a pool works on, and the remedy if a process dies, both for an error message."""

    described: str = "work in several processes"
    remedy: str = "free some memory, then try again"

    @contextmanager
    def raising_run_error(self) -> Iterator[None]:
        """A context for all use of the pool, in which the death of a process is a `RunError`.

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
    """A pool of spawned processes; tasks not begun when the block ends are cancelled.

    Args:
        workers: how many; each takes a second or more to start, as it imports its modules.
        start: run once in each process, before its first task.
        arguments: of `start`.
        work: what the error says if a process dies.

    Raises:
        RunError: as `Work.raising_run_error`.
    """
    # spawn: a fork would copy locks that threads of torch and DuckDB hold
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_initialise, initargs=(start, arguments)
    )
    ended = threading.Event()
    monitor_thread = threading.Thread(target=_worker_monitor(pool, ended), daemon=True)
    monitor_thread.start()
    try:
        with work.raising_run_error():
            yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        ended.set()
        monitor_thread.join()


def _worker_monitor(pool: ProcessPoolExecutor, ended: threading.Event) -> Callable[[], None]:
    """A thread's function that breaks a pool in which a process died, until it has `ended`.

    A process that dies while it writes a result leaves the pool waiting for the rest of it for
    ever: this process and the other workers hold the pipe's other end open.
    """
    # read now: a pool drops them on shutdown
    workers, lock = pool._processes, pool._shutdown_lock
    results: Any = pool._result_queue

    def monitor() -> None:
        while not ended.wait(_POLL_SECONDS):
            if any(worker.exitcode for worker in list(workers.values())):
                break
        if ended.wait(_POOL_REACTION_SECONDS):
            return
        with lock:  # nothing is submitted, so no worker started, meanwhile
            pool._broken = True
            for worker in list(workers.values()):
                worker.kill()
            # the last open writing end: the pool's reader then gets the end of the pipe
            results._writer.close()

    return monitor


def _initialise(start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    end_with_parent()
    if start is not None:
        start(*arguments)


def end_with_parent() -> None:
    """From now on, end this process when the one that started it ends, however that does."""
    threading.Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    """Exit when the parent ends: if it was killed, its workers would wait for tasks for ever."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def cores() -> int:
    """How many cores a command may use, at least 1.

    The machine's number, limited by the process's affinity (`taskset`, a batch system) and by a
    container's quota of processor time (`docker run --cpus 2`).
    """
    # macOS and Windows have no affinity
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    quota = cgroup_quota()
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def cgroup_quota(root: Path | None = None, own: Path | None = None) -> float | None:
    """The processor time that Linux control groups allow, in cores; None without a limit.

    Args:
        root: as in `control_groups`.
        own: likewise.
    """
    quotas = [
        quota for group in control_groups("cpu", root, own) if (quota := _quota(group)) is not None
    ]
    return min(quotas, default=None)


def _quota(group: ControlGroup) -> float | None:
    """Quota over period, both in microseconds; None where it is `max` or -1, no limit."""
    if group.version == 1:
        words = [group.text(f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    else:
        words = group.text("cpu.max").split()
    try:
        quota, period = (int(word) for word in words)
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None
