"""A mark in the folder of a checkpoint while a training is to replace what is in it.

A folder with `unfinished.json` is refused by all that read a checkpoint. An earlier checkpoint in
it is untouched until the training saves its own.
"""

import json
from pathlib import Path

from data.atomic_files import make_folder, remove_left_over, sync, write_atomic, write_error
from data.errors import RunError

UNFINISHED = "unfinished.json"

_UNREADABLE = "unknown"


def mark_unfinished(folder: Path, run_id: str, note: str) -> None:
    """Say that a training which writes into this folder is not done; replaces an earlier mark.

    Args:
        folder: of the checkpoint to come, made if it does not exist.
        run_id: of the training.
        note: how far it is and how to go on, for a person.

    Raises:
        WriteError: the folder cannot be written.
    """
    make_folder(folder)
    remove_left_over(folder / UNFINISHED)
    content = json.dumps({"run_id": run_id, "note": note}, indent=1) + "\n"
    write_atomic(folder / UNFINISHED, content.encode())


def mark_finished(folder: Path) -> None:
    """Remove the mark, if there is one; call it when the checkpoint is saved.

    Raises:
        WriteError: the folder cannot be written.
    """
    try:
        (folder / UNFINISHED).unlink(missing_ok=True)
        sync(folder)
    except OSError as error:
        raise write_error(folder / UNFINISHED, error) from error


def unfinished_run(folder: Path) -> str | None:
    """The id of the training that is not done, "unknown" if the mark is damaged; None if unmarked.

    A folder that does not exist is unmarked.
    """
    mark = _read(folder)
    return None if mark is None else mark["run_id"]


def check_finished(folder: Path, *, earlier: bool) -> None:
    """Refuse a folder that is marked.

    Args:
        folder: of a checkpoint.
        earlier: a checkpoint is in it.

    Raises:
        RunError: which training is not done, and how to go on.
    """
    mark = _read(folder)
    if mark is None:
        return
    remedy = "start the same training again: it goes on where it was"
    if earlier:
        remedy += f" (the earlier checkpoint is still there: delete {UNFINISHED} to have it back)"
    note = f", {mark['note']}" if mark["note"] else ""
    raise RunError(
        f"checkpoint {folder}",
        found=f"an unfinished training (run {mark['run_id']}{note})",
        expected="a finished one",
        remedy=remedy,
    )


def _read(folder: Path) -> dict[str, str] | None:
    """Run id and note of the mark, on one line each."""
    try:
        mark = json.loads((folder / UNFINISHED).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        mark = None
    mark = mark if isinstance(mark, dict) else {}
    run_id, note = mark.get("run_id", _UNREADABLE), mark.get("note", "")
    return {"run_id": " ".join(str(run_id).split()), "note": " ".join(str(note).split())}
