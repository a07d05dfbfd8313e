"""Replacing the files of a checkpoint together, or not at all.

The card names the hash of each file that belongs to it, so replacing the card commits a save. A
save writes the new files into the folder `.new`, then replaces the card, then renames the files.
Whenever it is interrupted, the folder holds one whole checkpoint, the old or the new.
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from data.atomic_files import remove_left_over, sync, write_atomic, write_error
from data.digests import file_digest
from data.errors import RunError

_PENDING = ".new"

Write = Callable[[Path], object]
"""Writes a file at a path, or raises OSError."""


def commit(
    folder: Path, card: Path, content: Callable[[dict[str, str]], bytes], files: Mapping[str, Write]
) -> dict[str, str]:
    """Write a card and the files that it names into a folder.

    Args:
        folder: of the checkpoint; what an earlier save left unfinished in it is finished first
            (`finish_interrupted_save`), all else that it left is removed.
        card: the file that names the others by their hashes.
        content: of the card, from those hashes by name.
        files: by name, in the order in which they are written.

    Returns:
        SHA-256 by name.

    Raises:
        WriteError: the folder cannot be written; it holds what it held before.
    """
    new_card = None
    remove_left_over(card)
    try:
        digests = {name: _write_pending(folder, name, write) for name, write in files.items()}
        new_card = content(digests)
        write_atomic(card, new_card)
    except BaseException:
        # The new card may be there all the same: its folder could not be synced.
        if not card.is_file() or card.read_bytes() != new_card:
            _remove_pending(folder)
        raise
    with suppress(OSError):  # readers find a committed file in `.new` as well
        for name in files:
            _pending(folder, name).replace(folder / name)
        sync(folder)
        _remove_pending(folder)
    return digests


def finish_interrupted_save(folder: Path, digests: Mapping[str, str]) -> None:
    """Rename the files that an interrupted save committed; remove what else it left.

    Args:
        folder: of the checkpoint.
        digests: SHA-256 of each file that the card names; none where there is no whole card.

    Raises:
        WriteError: the folder cannot be written; it holds what it held before.
    """
    for name, digest in digests.items():
        pending = _pending(folder, name)
        if file_digest(pending) == digest:
            try:
                pending.replace(folder / name)
                sync(folder)
            except OSError as error:
                raise write_error(folder / name, error) from error
    _remove_pending(folder)


def discard(folder: Path, name: str) -> None:
    """Delete a file that the card no longer names, if it can be: no reader asks for it."""
    with suppress(OSError):
        (folder / name).unlink(missing_ok=True)


def committed_file(folder: Path, name: str, digest: str) -> Path:
    """The file that the card names, also where its save was interrupted.

    Raises:
        RunError: there is none of that SHA-256.
    """
    problem = "no such file"
    for path in (folder / name, _pending(folder, name)):
        if path.is_file():
            actual = file_digest(path)
            if actual == digest:
                return path
            problem = f"sha256 {actual} ({path.stat().st_size:,} bytes)" if actual else "unreadable"
    raise RunError(
        str(folder / name),
        found=problem,
        expected=f"sha256 {digest}, as the card says",
        remedy="the file is damaged, cut short or of another checkpoint",
    )


def _write_pending(folder: Path, name: str, write: Write) -> str:
    """Write a file into `.new`, and wait until it is on disk; its SHA-256."""
    pending = _pending(folder, name)
    try:
        pending.parent.mkdir(exist_ok=True)
        write(pending)
        for path in (pending, pending.parent, folder):
            sync(path)
    except OSError as error:
        raise write_error(folder / name, error) from error
    return file_digest(pending)


def _remove_pending(folder: Path) -> None:
    shutil.rmtree(folder / _PENDING, ignore_errors=True)


def _pending(folder: Path, name: str) -> Path:
    return folder / _PENDING / name
