"""What a loader's processes run beside a dataset; imports little, as each of them imports it."""

import atexit
import signal
import weakref
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TypeVar

from data.machine.processes import end_with_parent

T = TypeVar("T")

# Windows holds no signals back.
_STOPPING = {signal.SIGINT, signal.SIGTERM} if hasattr(signal, "pthread_sigmask") else set()


class LoaderProcess(SpawnProcess):
    """A process that the signals which stop a training do not end.

    While it starts they are held back: it imports for seconds, and would end with a trace. Later it
    ignores them, so whoever ends it kills it; it holds nothing that could be lost.
    """

    def terminate(self) -> None:
        """Kill: SIGTERM is ignored."""
        self.kill()

    def start(self) -> None:
        """Start with signals held back; `start_worker` lets them in."""
        # at its exit Python sends SIGTERM to each process that is left, and waits for its end
        atexit.register(_kill, weakref.ref(self))
        if not _STOPPING:
            super().start()
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class LoaderContext(SpawnContext):
    """Spawns a loader's processes: a fork would copy locks that threads of torch hold."""

    Process = LoaderProcess


def start_worker(_number: int) -> None:
    """Leave it to the process that the loader belongs to when to end.

    A terminal's Ctrl-C, and SIGTERM of a service manager or a batch system, reach all processes at
    once.
    """
    # torch's own watch takes whoever is the parent when it begins, which may be init by then
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if _STOPPING:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _kill(process: "weakref.ref[LoaderProcess]") -> None:
    """Kill a process that is still there."""
    if (left := process()) is not None and left.is_alive():
        left.kill()


def whole_batch(batch: T) -> T:
    """A batch as its dataset made it: there is nothing to put together."""
    return batch
