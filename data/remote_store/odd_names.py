"""Files of a server that a folder of this machine cannot hold: they are left out, and said."""

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from data.atomic_files import temporary_path
from data.remote_store.listing import Listing
from data.remote_store.place import StorePlace
from data.terminal import note
from data.text import printable

_SHOWN_LETTERS = 60


def without_odd_names(place: StorePlace, listing: Listing, root: Path) -> Listing:
    """What a server holds, but for files whose names are too long for a disk, or are folders too.

    Args:
        place: the server.
        listing: of it.
        root: the folder that the files are written in.
    """
    folders = {str(above) for name in listing.files for above in PurePosixPath(name).parents}
    longest = os.pathconf(root, "PC_NAME_MAX"), os.pathconf(root, "PC_PATH_MAX")
    odd = {n for n in listing.files if n in folders or not _fits(root / n, root, *longest)}
    if not odd:
        return listing
    note(
        f"store {place.url}: left out {len(odd):,} files that this disk cannot hold, as their "
        "names are too long, or are those of folders too; the first: "
        f"{printable(min(odd), _SHOWN_LETTERS)}"
    )
    left = {name: file for name, file in listing.files.items() if name not in odd}
    return replace(listing, files=left)


def _fits(file: Path, root: Path, longest_name: int, longest_path: int) -> bool:
    """Whether a file can be written, which begins under a longer name."""
    written = temporary_path(file)
    try:
        names = [len(os.fsencode(part)) for part in written.relative_to(root).parts]
        # a byte of a path is its end
        return max(names) <= longest_name and len(os.fsencode(written)) < longest_path
    except UnicodeEncodeError:
        return False
