"""Folders for what is unpacked, which go with the process, at the latest with the next one.

A process holds a lock on its folder, and the system lets go of it however the process ends; so a
folder without one was left by a process that was killed.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path


class ScratchFolder:
    """A folder of this process alone, which goes with this object."""

    def __init__(self, root: Path) -> None:
        """Make the folder, and remove those that were left.

        Args:
            root: holds such folders and nothing else.

        Raises:
            OSError: it cannot be made.
        """
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root):
            _remove_left(root)
            self.path = Path(tempfile.mkdtemp(dir=root))
            lock = os.open(self.path, os.O_RDONLY)
            with contextlib.suppress(OSError):  # a file system without locks: nothing is removed
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        weakref.finalize(self, _remove, self.path, lock, os.getpid())


_folders: weakref.WeakValueDictionary[Path, ScratchFolder] = weakref.WeakValueDictionary()


def scratch_folder(root: Path) -> ScratchFolder:
    """The folder of this process in `root`, as long as somebody holds it."""
    folder = _folders.get(root)
    if folder is None or not folder.path.is_dir():
        folder = _folders[root] = ScratchFolder(root)
    return folder


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Wait for others that make or remove a folder in `root`."""
    lock = os.open(root, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _remove_left(root: Path) -> None:
    for folder in root.iterdir():
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its process lives
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _remove(folder: Path, lock: int, process: int) -> None:
    if os.getpid() == process:  # not in a process that was forked off
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
