"""Files that are written whole or not at all: beside their place, synced to disk, then renamed.

Whatever goes wrong (a full disk, a kill, a power failure), the file that was there stays, and who
writes learns of it: a write that the system only promised is asked for with fsync.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import WriteError

_FULL = os.strerror(errno.ENOSPC)


def write_whole(file: Path, content: bytes, *, synced: bool = True) -> None:
    """Put a file of this content at `file`, whole or not at all.

    Args:
        file: where.
        content: all of it.
        synced: wait until it is on disk, which takes longer than to rebuild an image: False is for
            files by the thousand that can be made again.

    Raises:
        WriteError: it cannot be written; an earlier file is as it was.
    """
    with written_aside(file, synced=synced) as aside:
        aside.write_bytes(content)


@contextmanager
def written_aside(file: Path, *, synced: bool = True) -> Iterator[Path]:
    """A path in the same folder to write to; it takes the place of `file` when the block ends.

    When the block raises, what it wrote is removed. Let the block do nothing but write: what the
    system refuses in it is told as `file` not written. For `synced` see `write_whole`.

    Raises:
        WriteError: it cannot be written; an earlier file is as it was.
    """
    aside = aside_of(file)
    try:
        yield aside
        if synced:
            publish(aside, file)
        else:
            aside.replace(file)
    except OSError as error:
        # Pillow says so too where it cannot encode: the system's own errors have a number, save in
        # the words of a library
        if error.errno is None and _FULL not in str(error):
            raise
        raise not_written(file, error) from error
    finally:
        _remove(aside)


def aside_of(file: Path) -> Path:
    """Where this process writes what will be `file`."""
    return file.with_name(f".{file.name}.{os.getpid()}.aside")


def publish(aside: Path, file: Path) -> None:
    """Move a file that was written aside to its place, once its bytes are on disk.

    Raises:
        OSError: they cannot be put there; `file` is as it was.
    """
    _sync(aside)
    aside.replace(file)
    _sync(file.parent)


def not_written(file: Path, error: Exception) -> WriteError:
    """The one line of a file that could not be written."""
    words = (isinstance(error, OSError) and error.strerror) or str(error).splitlines()[0]
    return WriteError(
        str(file),
        found=_FULL if _FULL in words else words,
        expected="room and leave to write it",
        remedy="what was there before is unchanged: make room, then run the same again",
    )


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(aside: Path) -> None:
    try:
        aside.unlink(missing_ok=True)
    except OSError:
        return  # its folder is gone or no longer to be written: that error is on its way
