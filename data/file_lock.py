"""One process at a time at something, by a locked file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from data.atomic_files import make_folder
from data.errors import RunError


@contextmanager
def locked(file: Path, what: str, *, found: str, seconds: float = 0) -> Iterator[None]:
    """Hold a lock while the block lasts; the system frees that of a process that is killed.

    Args:
        file: that is locked; its folder is made.
        what: is done by one process at a time, for the error.
        found: who else holds it, for the error.
        seconds: to wait for another process.

    Raises:
        RunError: another process holds it.
        WriteError: the folder cannot be made.
    """
    make_folder(file.parent)
    # of the process, not of a thread
    lock = FileLock(file, thread_local=False)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise RunError(
            what, found=found, expected="one at a time", remedy="wait until it is done"
        ) from None
    try:
        yield
    finally:
        lock.release()
