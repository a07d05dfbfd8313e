"""Which process a number means: numbers are used again, times of a start are not."""

from dataclasses import dataclass

import psutil

# the system counts starts in ticks of 10 ms; other numbers come between two uses of the same one
_SAME_SECONDS = 0.05


@dataclass(frozen=True)
class Identity:
    """A process's number, and when it started, in seconds since the system did.

    That time does not move when the clock is set.
    """

    pid: int
    since_boot: float


def own_identity() -> Identity:
    """This process's."""
    process = psutil.Process()
    return Identity(process.pid, _since_boot(process))


def find(identity: Identity) -> psutil.Process | None:
    """The process; None if it has ended, though another one may have its number by now."""
    try:
        process = psutil.Process(identity.pid)
        same = abs(_since_boot(process) - identity.since_boot) < _SAME_SECONDS
        # one that has ended and that nobody waited for is still listed
        ended = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return process if same and not ended else None
    except (psutil.Error, ValueError, OverflowError):
        return None


def _since_boot(process: psutil.Process) -> float:
    return float(process.create_time() - psutil.boot_time())
