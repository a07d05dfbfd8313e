"""A working copy of a store that lies on a server: fetched before work, sent back after it.

DuckDB writes no object store, so work is done in a folder of this machine. One copy serves all
processes of a user: a lock is held while files come and go, not while work is done. What was not
sent, as the machine stopped or the server did not answer, is sent after the next work.
"""

import hashlib
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from data.errors import StoreError
from data.progress import Progress
from data.remote_store.copy_folder import CopyFolder
from data.remote_store.fetching import fetch, fetch_warehouse
from data.remote_store.kept_files import is_report
from data.remote_store.place import store_place
from data.remote_store.sending import send, unsent
from data.store import Store
from data.terminal import note

COPIES_VARIABLE = "STREETREPLAY_STORE_COPIES"
"""The folder of all working copies; else `streetreplay/stores` of the user's cache folder."""

_MOST_LETTERS = 60


@dataclass
class WorkingCopy:
    """A working copy, as a process uses it."""

    folder: CopyFolder
    _refreshing: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def store(self) -> Store:
        """The store, as it was fetched last."""
        return self.folder.store

    @property
    def fetched(self) -> datetime | None:
        """When that was, in UTC; None if it never was."""
        return self.folder.read_state().fetched

    @property
    def has_unsent(self) -> bool:
        """Whether anything here is not on the server."""
        return bool(unsent(self.folder))

    def fetch(self, progress: Progress) -> None:
        """Fetch what changed on the server, see `fetching.fetch`."""
        fetch(self.folder, progress)

    def fetch_warehouse(self, progress: Progress) -> None:
        """Fetch the warehouse alone, see `fetching.fetch_warehouse`."""
        fetch_warehouse(self.folder, progress)

    def send(self, progress: Progress) -> None:
        """Send what changed here, see `sending.send`.

        Who may not write to the server is told so, and no more where that concerns reports alone.
        """
        waiting = unsent(self.folder)
        try:
            send(self.folder, progress)
        except StoreError as error:
            if not all(map(is_report, waiting)):
                raise
            note(str(error))

    def refresh(self, since: datetime, progress: Progress) -> None:
        """Send reports and fetch, unless that was done since a time.

        Processes of this machine that make anything else send it themselves. Who has a copy waits
        for nobody who is at it.

        Raises:
            StoreError: as of `fetch`.
        """
        if not self._refreshing.acquire(blocking=self.fetched is None):
            return
        try:
            if self.fetched is None or self.fetched < since:
                with suppress(StoreError):  # who may only read; else the fetch says why
                    send(self.folder, progress, is_report)
                self.fetch(progress)
        finally:
            self._refreshing.release()


def working_copy(url: str) -> WorkingCopy:
    """The working copy of the store at a URL; nothing is asked of the server.

    Raises:
        StoreError: nothing here reads URLs of that protocol, or the URL holds a password.
    """
    place = store_place(url)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", place.url)[:_MOST_LETTERS]
    digest = hashlib.sha256(place.url.encode()).hexdigest()[:12]
    return WorkingCopy(CopyFolder(place, _copies() / f"{name}-{digest}"))


def _copies() -> Path:
    if chosen := os.environ.get(COPIES_VARIABLE):
        return Path(chosen).absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "streetreplay" / "stores"
