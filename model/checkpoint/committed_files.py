"""Replacing the files of a checkpoint together, or not at all.

The card names the hash of each file that belongs to it, so replacing the card commits a save. A
save writes the new files beside the old ones, then replaces the card, then renames the files.
Whenever it is interrupted, the folder holds one whole checkpoint, the old or the new.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from data.atomic_files import write_atomic
from data.errors import RunError

_PENDING = ".new"


def commit(folder: Path, card: Path, content: bytes, files: Mapping[str, bytes]) -> None:
    """Write a card and the files that it names into a folder.

    Args:
        folder: of the checkpoint; what an earlier save left unfinished in it is finished first.
        card: the file that names the others by their hashes.
        content: of the card.
        files: by name.

    Raises:
        WriteError: the folder cannot be written; it holds what it held before.
    """
    for name, stored in files.items():
        write_atomic(_pending(folder, name), stored)
    write_atomic(card, content)
    for name in files:
        _pending(folder, name).replace(folder / name)


def finish_interrupted_save(folder: Path, digests: Mapping[str, str]) -> None:
    """Rename the files that an interrupted save committed and left beside their names."""
    for name, digest in digests.items():
        pending = _pending(folder, name)
        if pending.is_file() and hashlib.sha256(pending.read_bytes()).hexdigest() == digest:
            pending.replace(folder / name)


def discard(folder: Path, name: str) -> None:
    """Delete a file that the card no longer names."""
    for file in (folder / name, _pending(folder, name)):
        file.unlink(missing_ok=True)


def read_committed(folder: Path, name: str, digest: str) -> tuple[Path, bytes]:
    """Path and bytes of a file that the card names, also where its save was interrupted.

    Raises:
        RunError: there is none of that SHA-256.
    """
    problem = "no such file"
    for path in (folder / name, _pending(folder, name)):
        if path.is_file():
            stored = path.read_bytes()
            actual = hashlib.sha256(stored).hexdigest()
            if actual == digest:
                return path, stored
            problem = f"sha256 {actual} ({len(stored):,} bytes)"
    raise RunError(
        str(folder / name),
        found=problem,
        expected=f"sha256 {digest}, as the card says",
        remedy="the file is damaged, cut short or of another checkpoint",
    )


def _pending(folder: Path, name: str) -> Path:
    return folder / f"{name}{_PENDING}"
