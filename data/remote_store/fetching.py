"""Bring a working copy up to what the server holds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from data.atomic_files import make_folder, remove_left_over
from data.errors import StoreError
from data.progress import Progress
from data.remote_store.copy_folder import CopyFolder
from data.remote_store.copy_state import CopyState, Known
from data.remote_store.differences import ToFetch, to_fetch
from data.remote_store.kept_files import WAREHOUSE, LocalFile, is_guarded, local_files
from data.remote_store.listing import Listing, list_place, list_warehouse
from data.remote_store.transfers import Transfer, get_files

_ATTEMPTS = 3


def fetch(copy: CopyFolder, progress: Progress) -> frozenset[str]:
    """Fetch what changed on the server; a fetch that breaks off leaves whole files.

    What was changed here and never sent stays.

    Returns:
        The files that are here then, by path in the store.

    Raises:
        StoreError: the server does not answer, refuses, has no such bucket, or lost all files; or a
            guarded file changed on both sides: the one here is set aside then.
        WriteError: the disk is full.
    """
    has_copy = copy.root.is_dir()
    remedy = f"try again; what was fetched last is in {copy.root}" if has_copy else "try again"
    with copy.moving_files(remedy):
        _fetch_again(copy, progress, _ATTEMPTS)
        return frozenset(local_files(copy.root))


def fetch_warehouse(copy: CopyFolder, progress: Progress) -> None:
    """Fetch the warehouse alone, where a newer one was published; the caller holds its lock.

    Raises:
        StoreError: as of `fetch`.
        WriteError: the disk is full.
    """
    with copy.moving_files("run the same again"):
        listing = Listing(*list_warehouse(copy.place), read_there=())
        state = copy.read_state()
        known = {name: was for name, was in state.files.items() if name == WAREHOUSE}
        file = copy.root / WAREHOUSE
        here = {WAREHOUSE: LocalFile.of(file.stat())} if file.is_file() else {}
        changes = to_fetch(listing, known, here)
        _settle(copy, changes, listing, here, state)
        _get(copy, changes.get, listing, state, progress)


def _fetch_again(copy: CopyFolder, progress: Progress, attempts: int) -> None:
    try:
        with _warehouse_lock(copy) as is_free:
            _fetch(copy, progress, warehouse=is_free)
    except FileNotFoundError:  # removed by another machine since it was listed
        if attempts == 1:
            raise
        _fetch_again(copy, progress, attempts - 1)


def _fetch(copy: CopyFolder, progress: Progress, *, warehouse: bool) -> None:
    """Fetch; with no regard to the warehouse where a process of this machine is publishing it."""
    listing, state, here = list_place(copy.place), copy.read_state(), local_files(copy.root)
    if state.files and not listing.files:
        raise StoreError(
            f"store {copy.place.url}",
            found="nothing there any more",
            expected="what was there before",
            remedy=f"if it was emptied on purpose, delete {copy.path}, its copy here",
        )
    known = dict(state.files)
    if not warehouse:
        for files in (listing.files, here, known):
            files.pop(WAREHOUSE, None)
    changes = to_fetch(listing, known, here)
    _settle(copy, changes, listing, here, state)
    # the warehouse last: it names runs
    _get(copy, sorted(changes.get, key=WAREHOUSE.__eq__), listing, state, progress)
    for name in changes.gone:
        if state.files.pop(name).local == here.get(name):
            (copy.root / name).unlink(missing_ok=True)
    state.fetched, state.read_there = datetime.now(UTC), listing.read_there
    copy.write_state(state)


def _settle(
    copy: CopyFolder,
    changes: ToFetch,
    listing: Listing,
    here: dict[str, LocalFile],
    state: CopyState,
) -> None:
    """Know what is equal on both sides; set aside what is guarded and is not.

    Raises:
        StoreError: something was set aside.
    """
    differing = [
        name for name in changes.both if not copy.is_same(name, listing.files[name], here, state)
    ]
    if lost := [name for name in differing if is_guarded(name)]:
        raise copy.set_aside(lost, state)


def _get(
    copy: CopyFolder,
    names: Sequence[str],
    listing: Listing,
    state: CopyState,
    progress: Progress,
) -> None:
    """Fetch files; those that came are known, whatever happens to the others."""
    named = {copy.root / name: name for name in names}
    wanted = [
        Transfer(listing.files[name].path, path, listing.files[name].size)
        for path, name in named.items()
    ]

    def know(came: Transfer) -> None:
        name = named[came.local]
        state.files[name] = Known(listing.files[name].token, LocalFile.of(came.local.stat()))

    try:
        get_files(copy.place, wanted, progress, know)
    finally:
        if wanted:
            copy.write_state(state)


@contextmanager
def _warehouse_lock(copy: CopyFolder) -> Iterator[bool]:
    """Hold the lock of the warehouse; False if a process of this machine holds it to publish.

    Nobody waits here: who publishes waits for the files' lock, which is held now.
    """
    make_folder(copy.root)
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
