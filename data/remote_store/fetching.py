"""Bring a working copy up to what the server holds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from filelock import FileLock, Timeout

from data.atomic_files import publish, remove_left_over
from data.errors import StoreError
from data.progress import Progress
from data.remote_store.copy_folder import CopyFolder
from data.remote_store.copy_state import CopyState, Known
from data.remote_store.differences import ToFetch, to_fetch
from data.remote_store.kept_files import WAREHOUSE, LocalFile, is_guarded, local_files
from data.remote_store.listing import Listing, list_place, list_warehouse
from data.remote_store.odd_names import without_odd_names
from data.remote_store.transfers import Transfer, get_files
from data.terminal import note

_ATTEMPTS = 3

_Of = TypeVar("_Of")


def fetch(copy: CopyFolder, progress: Progress) -> None:
    """Fetch what changed on the server; a fetch that breaks off leaves whole files.

    What was changed or removed here and never sent stays so. Where nothing is known of a file that
    is there and here, the server's comes, and the one here is set aside.

    Raises:
        StoreError: the server does not answer, refuses, has no such bucket, or lost all files; or a
            guarded file changed on both sides: the one here is set aside then.
        WriteError: the disk is full.
    """
    has_copy = copy.root.is_dir()
    remedy = f"try again; what was fetched last is in {copy.root}" if has_copy else "try again"
    with copy.moving_files(remedy):
        _fetch_again(copy, progress, _ATTEMPTS)


def fetch_warehouse(copy: CopyFolder, progress: Progress) -> None:
    """Fetch the warehouse alone, where a newer one was published; the caller holds its lock.

    Raises:
        StoreError: as of `fetch`.
        WriteError: the disk is full.
    """
    with copy.moving_files("run the same again"):
        listing, state = Listing(*list_warehouse(copy.place), read_there=()), copy.read_state()
        changes = _warehouse_changes(copy, listing, state)
        _get(copy, changes.get, listing, state, progress)
        copy.write_state(state)


def _fetch_again(copy: CopyFolder, progress: Progress, attempts: int) -> None:
    try:
        _fetch(copy, progress)
    except FileNotFoundError:  # removed by another machine since it was listed
        if attempts == 1:
            raise
        _fetch_again(copy, progress, attempts - 1)


def _fetch(copy: CopyFolder, progress: Progress) -> None:
    listing, state, here = list_place(copy.place), copy.read_state(), local_files(copy.root)
    copy.make_root(state, here)
    listing = without_odd_names(copy.place, listing, copy.root)
    if state.files and not listing.files:
        raise StoreError(
            f"store {copy.place.url}",
            found="nothing there any more",
            expected="what was there before",
            remedy=f"if it was emptied on purpose, delete {copy.path}, its copy here",
        )
    _fetch_files(copy, listing, here, state, progress)
    # last, as it names runs
    _fetch_newer_warehouse(copy, listing, state, progress)
    state.fetched, state.read_there = datetime.now(UTC), listing.read_there
    copy.write_state(state)


def _fetch_files(
    copy: CopyFolder,
    listing: Listing,
    here: Mapping[str, LocalFile],
    state: CopyState,
    progress: Progress,
) -> None:
    """Fetch all but the warehouse."""
    changes = to_fetch(
        replace(listing, files=_without_warehouse(listing.files)),
        _without_warehouse(state.files),
        _without_warehouse(here),
        copy.removed_here(state, here),
    )
    unknown = _settle(copy, changes, listing, here, state)
    # first, as one may be a folder by now
    for name in changes.gone:
        if state.files.pop(name).local == here.get(name):
            (copy.root / name).unlink(missing_ok=True)
    _get(copy, [*changes.get, *unknown], listing, state, progress)


def _fetch_newer_warehouse(
    copy: CopyFolder, listing: Listing, state: CopyState, progress: Progress
) -> None:
    """Fetch it beside the store's folder; its lock is held only to look, and to put it in place.

    A warehouse that a process of this machine is publishing is left to it. That process waits for
    the files' lock, which is held now, so none is published and sent meanwhile.
    """
    with _warehouse_lock(copy) as is_free:
        if not is_free:
            return
        changes, before = _warehouse_changes(copy, listing, state), _local_warehouse(copy)
        if WAREHOUSE in changes.gone and state.files.pop(WAREHOUSE).local == before:
            (copy.root / WAREHOUSE).unlink()
    if not changes.get:
        return
    there, beside = listing.files[WAREHOUSE], copy.path / WAREHOUSE
    remove_left_over(beside)
    try:
        get_files(copy.place, [Transfer(there.path, beside, there.size)], progress, lambda _: None)
        with _warehouse_lock(copy) as is_free:
            if is_free and _local_warehouse(copy) == before:
                local = LocalFile.of(beside.stat())
                copy.announce({WAREHOUSE: Known(there.token, local)}, state)
                publish(beside, copy.root / WAREHOUSE)
                copy.settle_coming(state)
    finally:
        beside.unlink(missing_ok=True)


def _warehouse_changes(copy: CopyFolder, listing: Listing, state: CopyState) -> ToFetch:
    """What to do with the warehouse; one that is not known is set aside. Its lock is held.

    Raises:
        StoreError: it changed on both sides, and is set aside.
    """
    local = _local_warehouse(copy)
    here = {} if local is None else {WAREHOUSE: local}
    only = replace(listing, files={n: f for n, f in listing.files.items() if n == WAREHOUSE})
    known = {name: was for name, was in state.files.items() if name == WAREHOUSE}
    changes = to_fetch(only, known, here)
    unknown = _settle(copy, changes, listing, here, state)
    return replace(changes, get=[*changes.get, *unknown])


def _local_warehouse(copy: CopyFolder) -> LocalFile | None:
    file = copy.root / WAREHOUSE
    return LocalFile.of(file.stat()) if file.is_file() else None


def _without_warehouse(files: Mapping[str, _Of]) -> dict[str, _Of]:
    return {name: file for name, file in files.items() if name != WAREHOUSE}


def _settle(
    copy: CopyFolder,
    changes: ToFetch,
    listing: Listing,
    here: Mapping[str, LocalFile],
    state: CopyState,
) -> list[str]:
    """Know what is equal on both sides; set aside what is guarded and is not, or is not known.

    Until all was fetched once no work was done here: nothing that is not known is anybody's then.

    Returns:
        Those that were not known, which the server's replace.

    Raises:
        StoreError: something guarded was set aside.
    """
    known = frozenset(state.files)
    differing = [
        name for name in changes.both if not copy.is_same(name, listing.files[name], here, state)
    ]
    unknown = [
        name
        for name in differing
        if name not in known and (state.fetched is None or not is_guarded(name))
    ]
    if lost := [name for name in differing if is_guarded(name) and name not in unknown]:
        raise copy.replaced(lost, state)
    if unknown:
        aside = copy.set_aside(unknown, state)
        note(
            f"store {copy.place.url}: {len(unknown):,} files here that nothing was known of are "
            f"not the server's, which replace them; those from here are kept in {aside}"
        )
    return unknown


def _get(
    copy: CopyFolder,
    names: Sequence[str],
    listing: Listing,
    state: CopyState,
    progress: Progress,
) -> None:
    """Fetch files; those that came are known, also to whoever comes after a kill."""
    named = {copy.root / name: name for name in names}
    wanted = [
        Transfer(listing.files[name].path, path, listing.files[name].size)
        for path, name in named.items()
    ]

    def announce(coming: Mapping[Transfer, LocalFile]) -> None:
        rows = {named[came.local]: local for came, local in coming.items()}
        known = {name: Known(listing.files[name].token, local) for name, local in rows.items()}
        copy.announce(known, state)

    try:
        get_files(copy.place, wanted, progress, announce)
    finally:
        copy.settle_coming(state)


@contextmanager
def _warehouse_lock(copy: CopyFolder) -> Iterator[bool]:
    """Hold the lock of the warehouse; False if a process of this machine holds it to publish.

    Nobody waits here: who publishes may be waiting for the files' lock, which is held now.
    """
    lock = FileLock(copy.store.warehouse_lock, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        remove_left_over(copy.root / WAREHOUSE)
        yield True
    finally:
        lock.release()
