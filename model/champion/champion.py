"""The store's champion: which checkpoint it is, and the entries of the log that made it so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data.errors import RunError
from data.file_lock import locked
from data.store import Store
from model.champion.checkpoint_digest import checkpoint_digest
from model.champion.pointer import read_pointer
from model.champion.promotions import Entry, read_promotions

_LOCK_SECONDS = 30
_REMEDY = "put it back, or `streetreplay champion rollback`, or `streetreplay champion set FOLDER`"


@dataclass(frozen=True)
class Champion:
    """The champion's folder, found whole and unaltered, its hash, and its entry in the log."""

    folder: Path
    sha256: str
    entry: int


def champion(store: Store) -> Champion | None:
    """The champion; None if there is none yet.

    Raises:
        RunError: its folder was removed or altered, or the pointer is damaged.
    """
    pointer = read_pointer(store)
    if pointer is None:
        return None
    folder = store.root / pointer.folder
    check_unaltered(folder, pointer.sha256)
    return Champion(folder, pointer.sha256, pointer.entry)


def present_champion(store: Store) -> Champion:
    """The champion, where there has to be one.

    Raises:
        RunError: there is none, or as `champion`.
    """
    present = champion(store)
    if present is None:
        raise RunError(
            f"champion of {store}",
            found="none",
            expected="one",
            remedy="name one: `streetreplay champion set FOLDER`",
        )
    return present


def earlier_champion(store: Store, number: int) -> Champion | None:
    """The champion before the one that an entry of the log made so.

    None if there was none, or its folder was removed or altered since.
    """
    by_number = {entry.entry: entry for entry in read_promotions(store)}
    present = by_number.get(number)
    earlier = None if present is None else by_number.get(present.previous or 0)
    if earlier is None:
        return None
    folder = store.root / earlier.folder
    try:
        check_unaltered(folder, earlier.sha256)
    except RunError:
        return None
    return Champion(folder, earlier.sha256, earlier.entry)


def entries_in_effect(store: Store) -> list[Entry]:
    """The entries that made something champion, the present one first.

    An entry that is missing here although it promoted was interrupted before the pointer moved.

    Raises:
        RunError: the pointer is damaged.
    """
    pointer = read_pointer(store)
    by_number = {entry.entry: entry for entry in read_promotions(store)}
    chain: list[Entry] = []
    number = None if pointer is None else pointer.entry
    while number is not None and number in by_number:
        # each is taken once, so that a damaged log cannot make a circle
        chain.append(by_number.pop(number))
        number = chain[-1].previous
    return chain


def check_unaltered(folder: Path, sha256: str) -> None:
    """Refuse a folder that is not the checkpoint that was made champion.

    Args:
        folder: of the checkpoint.
        sha256: its hash then, see `checkpoint_digest`.

    Raises:
        RunError: it was removed, damaged or altered.
    """
    try:
        digest = checkpoint_digest(folder)
    except RunError as error:
        raise RunError(f"champion {folder.name}, {error}", remedy=_REMEDY) from None
    if digest != sha256:
        raise RunError(
            f"champion {folder}",
            found=f"another checkpoint (sha256 {digest})",
            expected=f"the one that was made champion (sha256 {sha256})",
            remedy=_REMEDY,
        )


@contextmanager
def champion_lock(store: Store) -> Iterator[None]:
    """One process at a time changes the champion; the system frees the lock of one that is killed.

    Raises:
        RunError: another process is at it.
        WriteError: the store cannot be written.
    """
    with locked(
        store.models / "champion.lock",
        f"champion of {store}",
        found="another process that changes it",
        seconds=_LOCK_SECONDS,
    ):
        yield
