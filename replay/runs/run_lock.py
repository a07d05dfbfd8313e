"""One process at a time on one run's folder."""

from pathlib import Path

from filelock import FileLock, Timeout

from data.errors import RunError


def lock_run(folder: Path) -> FileLock:
    """The lock of a run's folder, taken; the system frees it however the process ends.

    Args:
        folder: of the run; it has to be there.

    Raises:
        RunError: another process holds it.
        OSError: the folder cannot be written.
    """
    # of the process, not of the thread that opened the run
    lock = FileLock(folder / "run.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            f"run {folder.name}",
            found="another process that works on this very run",
            expected="one at a time",
            remedy="wait until it is done; the same command then reads its answers",
        ) from None
    return lock
