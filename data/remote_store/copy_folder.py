"""The folder of a working copy: the store's files, what is known of them, and what was set aside.

store/       the store's folder
state.json   see `copy_state`
copy.lock    held while files come or go
set-aside/   files that another machine replaced before they were sent, a folder each time
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from data.atomic_files import make_folder, write_atomic
from data.errors import StoreError
from data.remote_store.copy_state import CopyState, Known, read_state, write_state
from data.remote_store.kept_files import WAREHOUSE, LocalFile, is_guarded
from data.remote_store.listing import RemoteFile
from data.remote_store.place import StorePlace, place_errors
from data.remote_store.transfers import same_content
from data.store import Store
from data.terminal import note

_SILENT_SECONDS, _LOCK_SECONDS = 2.0, 3600.0
# in the store's folder, and older than all that was fetched into it: whatever deletes that folder,
# or clears old files out of it, deletes this too
_MARK = ".copied"


@dataclass(frozen=True)
class CopyFolder:
    """The folder of a place's working copy; it need not be there."""

    place: StorePlace
    path: Path

    @property
    def root(self) -> Path:
        """The store's folder."""
        return self.path / "store"

    @property
    def store(self) -> Store:
        """The store, as it was fetched last."""
        return Store(self.root, self.place.url, self.read_state().read_there)

    def read_state(self) -> CopyState:
        """What is known of the files."""
        state = read_state(self.path / "state.json")
        self.settle_coming(state)
        return state

    def write_state(self, state: CopyState) -> None:
        """Keep what is known of the files.

        Raises:
            WriteError: it cannot be written.
        """
        write_state(self.path / "state.json", state)

    def make_root(self, state: CopyState, here: Mapping[str, LocalFile]) -> None:
        """Make the store's folder; of what was lost with an earlier one nothing is known any more.

        Raises:
            WriteError: it cannot be made.
        """
        known = {n: was for n, was in state.files.items() if n in here or not self._is_lost(n)}
        if known != state.files:
            state.files = known
            self.write_state(state)
        if not self._is_marked:
            make_folder(self.root)
            write_atomic(self.root / _MARK, b"")

    def removed_here(self, state: CopyState, here: Mapping[str, LocalFile]) -> list[str]:
        """The files that work on this machine removed, by whichever process, since both were equal.

        The warehouse is none of them: it is published anew, and removed by nobody.
        """
        missing = (name for name in state.files if name not in here and name != WAREHOUSE)
        return [n for n in missing if _is_missing(self.root / n) and not self._is_lost(n)]

    def announce(self, coming: Mapping[str, Known], state: CopyState) -> None:
        """Keep what will be known of files before they are put in place, in case of a kill.

        Raises:
            WriteError: it cannot be written.
        """
        self.settle_coming(state)
        state.coming = dict(coming)
        self.write_state(state)

    def settle_coming(self, state: CopyState) -> None:
        """Know those of the announced files that were put in place."""
        for name, known in state.coming.items():
            with suppress(OSError):
                if LocalFile.of((self.root / name).stat()) == known.local:
                    state.files[name] = known
        state.coming = {}

    @contextmanager
    def moving_files(self, remedy: str) -> Iterator[None]:
        """A context in which files come or go: of one process at a time, with errors in one line.

        Raises:
            StoreError: the server does not answer, refuses, or has no such bucket; or another
                process of this machine is at it for an hour.
            WriteError: the disk is full, or may not be written.
        """
        make_folder(self.path)
        with place_errors(self.place.url, self.root, remedy), self._lock():
            yield

    def is_same(
        self, name: str, there: RemoteFile, here: Mapping[str, LocalFile], state: CopyState
    ) -> bool:
        """Whether a file is the same on both sides; it is known then, as its transfer was cut off.

        Raises:
            Exception: whatever the protocol's package raises.
        """
        same = same_content(self.place, there, self.root / name, thorough=is_guarded(name))
        if same:
            state.files[name] = Known(there.token, here[name])
        return same

    def replaced(self, names: Sequence[str], state: CopyState) -> StoreError:
        """The error of files that another machine replaced; those here are set aside."""
        aside = self.set_aside(names, state)
        return StoreError(
            f"store {self.place.url}",
            found=f"{', '.join(sorted(names))} replaced by another machine meanwhile",
            expected="that nobody else changes it",
            remedy=f"run the same again, which begins with theirs; yours is kept in {aside}",
        )

    def set_aside(self, names: Sequence[str], state: CopyState) -> Path:
        """Move files out of the store's folder, so that the next fetch brings the server's.

        Returns:
            The folder that they are in then.
        """
        aside = self.path / "set-aside" / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        for name in names:
            make_folder((aside / name).parent)
            (self.root / name).replace(aside / name)
            state.files.pop(name, None)
        self.write_state(state)
        return aside

    def _is_lost(self, name: str) -> bool:
        """Whether a missing file went with all others, to free space for instance: no work does so.

        That is the store's folder, or one of all runs, of all models.
        """
        return not self._is_marked or not (self.root / name.partition("/")[0]).exists()

    @property
    def _is_marked(self) -> bool:
        """Whether the store's folder is the one that was fetched into."""
        return (self.root / _MARK).is_file()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        lock = FileLock(self.path / "copy.lock", thread_local=False)
        try:
            self._acquire(lock)
        except Timeout:
            raise StoreError(
                f"store {self.place.url}",
                found="another process of this machine that fetches or sends it",
                expected="one at a time",
                remedy="wait until it is done",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _acquire(self, lock: FileLock) -> None:
        try:
            lock.acquire(timeout=_SILENT_SECONDS)
        except Timeout:
            note(f"store {self.place.url}: waiting for a command here that fetches or sends it")
            lock.acquire(timeout=_LOCK_SECONDS)


def _is_missing(file: Path) -> bool:
    """Whether there is no file, kept or not, and no link; a folder may be in its place."""
    return not os.path.lexists(file) or (file.is_dir() and not file.is_symlink())
