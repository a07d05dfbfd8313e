"""Atomic writes: a file is written whole or not at all.

It is written under a temporary name beside its own, synced to disk, then renamed. Whatever goes
wrong (a full disk, a kill, a power failure), the file that was there stays, and whoever writes
learns of it: fsync waits for what the system had only promised.
"""

import errno
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import WriteError
from data.store import store_url

_FULL = os.strerror(errno.ENOSPC)
_SUFFIX = ".aside"


def write_atomic(file: Path, content: bytes, *, synced: bool = True) -> None:
    """Write `content` to `file`, whole or not at all.

    Args:
        file: the path to write.
        content: all of its bytes.
        synced: wait until it is on disk, which takes longer than to rebuild an image. False is for
            files by the thousand that can be made again.

    Raises:
        WriteError: it cannot be written; an earlier file is as it was.
    """
    with atomic_file(file, synced=synced) as temporary:
        temporary.write_bytes(content)


@contextmanager
def atomic_file(file: Path, *, synced: bool = True) -> Iterator[Path]:
    """A temporary path in the same folder to write to; it replaces `file` when the block ends.

    When the block raises, what it wrote is removed. Let the block do nothing but write: an OSError
    in it is reported as `file` not written. For `synced` see `write_atomic`.

    Raises:
        WriteError: it cannot be written; an earlier file is as it was.
    """
    temporary = temporary_path(file)
    try:
        yield temporary
        if synced:
            publish(temporary, file)
        else:
            temporary.replace(file)
    except OSError as error:
        # Pillow raises OSError too where it cannot encode. The system's own errors have a number,
        # save where a library words them anew
        if error.errno is None and _FULL not in str(error):
            raise
        raise write_error(file, error) from error
    finally:
        _remove(temporary)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` to fill; it becomes `folder` when the block ends.

    When the block raises, what it wrote is removed; so is what a killed process left of the same.

    Args:
        folder: not there yet, or empty; it gets files only. The folder above it is made.

    Raises:
        WriteError: it cannot be written; nothing is there that was not there before.
    """
    make_folder(folder.parent)
    for left_over in folder.parent.glob(f".{glob.escape(folder.name)}.*{_SUFFIX}"):
        shutil.rmtree(left_over, ignore_errors=True)
    temporary = temporary_path(folder)
    try:
        temporary.mkdir()
        yield temporary
        for path in (*temporary.iterdir(), temporary):
            sync(path)
        temporary.replace(folder)  # the system replaces an empty folder, and no other
        sync(folder.parent)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def temporary_path(file: Path) -> Path:
    """The path at which this process writes what will be `file`."""
    return file.with_name(f".{file.name}.{os.getpid()}{_SUFFIX}")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there yet.

    Raises:
        WriteError: they cannot be made, or a URL was named: a folder `s3:` would be made here.
    """
    if (url := store_url(folder)) is not None:
        raise WriteError(url, found="a URL", expected="a folder of this machine")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


def remove_left_over(file: Path) -> None:
    """Delete what killed processes left of their writes of `file`; none may be writing it now.

    Raises:
        WriteError: the folder cannot be written.
    """
    try:
        for temporary in file.parent.glob(f".{glob.escape(file.name)}.*{_SUFFIX}"):
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(file, error) from error


def remove_left_overs(folder: Path) -> None:
    """Delete what killed processes left of their writes in a folder; none may be writing there now.

    Raises:
        WriteError: the folder cannot be written.
    """
    try:
        for temporary in folder.glob(f".*{_SUFFIX}"):
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


def publish(temporary: Path, file: Path) -> None:
    """Rename a temporary file to its final name, once its bytes are on disk.

    Raises:
        OSError: it cannot be renamed; `file` is as it was.
    """
    sync(temporary)
    temporary.replace(file)
    sync(file.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk.

    Raises:
        OSError: they did not get there.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(file: Path, error: Exception) -> WriteError:
    """The error of a file that could not be written."""
    words = error.strerror if isinstance(error, OSError) else None
    words = words or str(error).splitlines()[0]
    return WriteError(
        str(file),
        found=_FULL if _FULL in words else words,
        expected="free space and permission to write it",
        remedy="what was there before is unchanged: free some space, then run the same again",
    )


def _remove(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return  # its folder is gone or no longer to be written: that error is on its way
