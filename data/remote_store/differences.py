"""What to do with each file of a store, by what it is there, here, and was when both were equal."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from data.remote_store.copy_state import Known, changed_here
from data.remote_store.kept_files import LocalFile
from data.remote_store.listing import Listing


@dataclass(frozen=True)
class ToFetch:
    """What a fetch does, by path in the store.

    Attributes:
        get: to be fetched.
        both: changed on both sides, or known on neither.
        gone: removed on the server; those that are as they were are removed here.
    """

    get: list[str]
    both: list[str]
    gone: list[str]


@dataclass(frozen=True)
class ToSend:
    """What a send does, by path in the store.

    Attributes:
        put: to be sent, as the server has what is known of them.
        both: changed on both sides.
        removed: removed here, and as they were on the server.
    """

    put: list[str]
    both: list[str]
    removed: list[str]


def to_fetch(
    listing: Listing,
    known: Mapping[str, Known],
    here: Mapping[str, LocalFile],
    removed: Collection[str] = (),
) -> ToFetch:
    """Compare a server with this machine, before work.

    Args:
        listing: of the server.
        known: of each file.
        here: the files of this machine.
        removed: those that work on this machine removed; the next send removes them there too,
            unless another machine changed them.
    """
    removed = frozenset(removed)
    get, both = [], []
    for name, there in listing.files.items():
        local, was = here.get(name), known.get(name)
        if local is None:
            if was is None or was.token != there.token or name not in removed:
                get.append(name)
        elif was is not None and was.token == there.token:
            continue  # what was changed here is sent after the work
        elif was is not None and was.local == local:
            get.append(name)
        else:
            both.append(name)
    return ToFetch(get, both, [name for name in known if name not in listing.files])


def to_send(
    listing: Listing,
    known: Mapping[str, Known],
    here: Mapping[str, LocalFile],
    removed: Collection[str],
) -> ToSend:
    """Compare this machine with a server, after work.

    Args:
        listing: of the server.
        known: of each file.
        here: the files of this machine.
        removed: those that work on this machine removed.
    """
    put: list[str] = []
    both: list[str] = []
    for name in changed_here(known, here):
        was = known[name].token if name in known else None
        (put if listing.token(name) == was else both).append(name)
    unchanged = [name for name in removed if listing.token(name) == known[name].token]
    return ToSend(put, both, unchanged)
