"""Open a store, in a folder or on a server, and send back what work changed in it.

Commands stand in a `sending_back()`; what they open by a URL is fetched when it is opened, and sent
when they are done. Packages that reach servers are imported only where there is a URL.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import StreetReplayError
from data.progress import Progress
from data.store import DEFAULT_STORE, STORE_VARIABLE, Store, store_url
from data.terminal import note
from data.terminal_progress import byte_progress

if TYPE_CHECKING:
    from data.remote_store.working_copy import WorkingCopy

_opened: dict[str, "WorkingCopy"] = {}
# by URL, the last error of a send within work, which is not tried again where it ends the work
_not_sent: dict[str, StreetReplayError] = {}


def open_store(root: Path | None = None) -> Store:
    """The store at `root`, else at $STREETREPLAY_STORE, else `data/store` of this checkout, or of
    the working directory where StreetReplay is installed without one.

    Nothing is created in a folder: an empty or missing one is an empty store. One on a server is
    fetched, once a process, into its working copy on this machine.

    Args:
        root: a folder; or a URL, as a path has it.

    Raises:
        StoreError: the server does not answer, refuses, or has no such bucket; nothing here reads
            such a URL; or this machine's copy cannot be joined with what others published.
        WriteError: the disk is full.
    """
    url = _folder_or_url(root)
    if isinstance(url, Path):
        return Store(url)
    if url not in _opened:
        copy = _working_copy(url)
        copy.fetch(byte_progress)
        _opened[url] = copy
    return _opened[url].store


def refreshed_store(every: timedelta, progress: Progress) -> tuple[Store, datetime | None, str]:
    """$STREETREPLAY_STORE for a process that goes on: fetched again when some time has passed.

    What was changed here is sent too.

    Returns:
        The store; when it was fetched, in UTC (None for a folder); and why it is not newer, where
        the server could not be read now.

    Raises:
        StoreError: the server cannot be read, and there is no copy of what it held.
    """
    url = _folder_or_url(None)
    if isinstance(url, Path):
        return Store(url), None, ""
    copy = _copy_of(url)
    problem = ""
    try:
        copy.refresh(datetime.now(UTC) - every, progress)
    except StreetReplayError as error:
        problem = str(error)
        if copy.fetched is None:
            raise
    return copy.store, copy.fetched, problem


def refresh_warehouse(store: Store) -> None:
    """Bring the warehouse of a store on a server up to the newest; the caller holds its lock.

    So for two to meet another machine has to publish within a write, not within a command: within
    seconds, but for an ingest, which reads its logs into the warehouse that it writes.

    Raises:
        StoreError: as of `open_store`.
    """
    if store.url is not None:
        _copy_of(store.url).fetch_warehouse(byte_progress)


def send_store(store: Store) -> None:
    """Send what was changed in a store on a server.

    Raises:
        StoreError: the server does not answer or refuses: what was done is kept, and sent by the
            next command; or another machine published meanwhile: what was made here is set aside.
    """
    if store.url is not None:
        try:
            _copy_of(store.url).send(byte_progress)
        except StreetReplayError as error:
            _not_sent[store.url] = error
            raise


@contextmanager
def sending_back() -> Iterator[None]:
    """A context of work at whose end what it changed in stores on servers is sent.

    So it is when the work fails, as a run that broke off goes on elsewhere; not when a person stops
    it, who is told so.

    Raises:
        StoreError: as of `send_store`.
    """
    try:
        yield
    except Exception as ending:
        for url, copy in _opened.items():
            if _not_sent.get(url) is ending:
                continue
            try:
                copy.send(byte_progress)
            except StreetReplayError as error:
                note(str(error), style="red")
        raise
    except BaseException:
        _note_unsent()
        raise
    else:
        try:
            for copy in _opened.values():
                copy.send(byte_progress)
        except KeyboardInterrupt:
            _note_unsent()
            raise
    finally:
        _opened.clear()
        _not_sent.clear()


def _folder_or_url(root: Path | None) -> Path | str:
    """The folder that is named, by its path or a `file://` URL; or the URL of a server."""
    chosen = root or Path(os.environ.get(STORE_VARIABLE) or DEFAULT_STORE)
    url = store_url(chosen)
    if url is None:
        return chosen
    scheme, _, place = url.partition("://")
    return Path("/", place) if scheme in ("file", "local") else url


def _note_unsent() -> None:
    for copy in _opened.values():
        if copy.has_unsent:
            note(f"store {copy.store}: not sent; the next command on this store sends it")


def _copy_of(url: str) -> "WorkingCopy":
    if url not in _opened:
        _opened[url] = _working_copy(url)
    return _opened[url]


def _working_copy(url: str) -> "WorkingCopy":
    from data.remote_store.working_copy import working_copy  # noqa: PLC0415  (it imports fsspec)

    return working_copy(url)
