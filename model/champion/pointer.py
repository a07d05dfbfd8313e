"""The pointer to the champion, `models/champion.json`: a small file that is replaced atomically."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from data.atomic_files import make_folder, remove_left_over, write_atomic
from data.errors import RunError
from data.store import Store

POINTER = "champion.json"

_FORMAT = "streetreplay-champion"
_VERSION = 1


@dataclass(frozen=True)
class Pointer:
    """What is champion: a checkpoint's `folder` and hash, and the log's `entry` that says why.

    The folder is relative to the store where it lies in it, so that a store can be moved.
    """

    entry: int
    folder: str
    sha256: str


def read_pointer(store: Store) -> Pointer | None:
    """The pointer; None if there never was a champion.

    Raises:
        RunError: it is damaged, or of another format.
    """
    file = store.models / POINTER
    try:
        written = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(file, error) from None
    form = (written.pop("format", None), written.pop("version", None)) if _is(written) else None
    if form != (_FORMAT, _VERSION):
        raise _damaged(file, f"format and version {form}")
    try:
        pointer = Pointer(**written)
    except TypeError:
        raise _damaged(file, f"keys {sorted(written)}") from None
    texts = isinstance(pointer.folder, str) and isinstance(pointer.sha256, str)
    if not texts or not isinstance(pointer.entry, int):
        raise _damaged(file, "a value of another type")
    return pointer


def write_pointer(store: Store, pointer: Pointer) -> None:
    """Replace the pointer; the caller holds the store's champion lock.

    Raises:
        WriteError: it cannot be written; the one that was there stays.
    """
    file = store.models / POINTER
    make_folder(file.parent)
    remove_left_over(file)
    written = {"format": _FORMAT, "version": _VERSION, **asdict(pointer)}
    write_atomic(file, (json.dumps(written, indent=1) + "\n").encode())


def stored_folder(store: Store, folder: Path) -> str:
    """A folder as the pointer keeps it."""
    resolved, root = folder.resolve(), store.root.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(resolved)


def _is(written: object) -> bool:
    return isinstance(written, dict)


def _damaged(file: Path, problem: object) -> RunError:
    return RunError(
        str(file),
        found=problem,
        expected="the pointer to the champion",
        remedy="name the champion again: `streetreplay champion set FOLDER`",
    )
