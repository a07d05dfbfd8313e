"""What a working copy knows: what each file was, there and here, when both were equal last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from data.atomic_files import write_atomic
from data.remote_store.kept_files import LocalFile


@dataclass(frozen=True)
class Known:
    """A file that was equal on both sides: the server's token of it, and what it was here."""

    token: str
    local: LocalFile


@dataclass
class CopyState:
    """What is known of all files, by path in the store.

    `fetched` is when all of the server was last fetched, in UTC; `read_there` which folders of
    source images it had then; `refuses_second` whether it was found to refuse who publishes second;
    `coming` what is known of fetched files that were about to be put in place.
    """

    files: dict[str, Known] = field(default_factory=dict)
    fetched: datetime | None = None
    read_there: tuple[str, ...] = ()
    refuses_second: bool = False
    coming: dict[str, Known] = field(default_factory=dict)


def read_state(file: Path) -> CopyState:
    """What a file holds; nothing is known where it is missing or damaged."""
    try:
        written = json.loads(file.read_bytes())
        fetched = written["fetched"]
        return CopyState(
            _read_rows(written["files"]),
            # none while the first fetch has not come to its end
            None if fetched is None else datetime.fromisoformat(fetched),
            tuple(map(str, written["read_there"])),
            written["refuses_second"] is True,
            _read_rows(written.get("coming", {})),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return CopyState()


def write_state(file: Path, state: CopyState) -> None:
    """Write it whole.

    Raises:
        WriteError: it cannot be written.
    """
    written = {
        "fetched": None if state.fetched is None else state.fetched.isoformat(),
        "read_there": state.read_there,
        "refuses_second": state.refuses_second,
        "files": _rows(state.files),
        "coming": _rows(state.coming),
    }
    write_atomic(file, json.dumps(written, separators=(",", ":")).encode())


def changed_here(known: Mapping[str, Known], here: Mapping[str, LocalFile]) -> list[str]:
    """The files of this machine that are not what they were when both sides were equal."""
    return [name for name, file in here.items() if name not in known or known[name].local != file]


def _rows(files: Mapping[str, Known]) -> dict[str, list[str | int]]:
    return {
        name: [known.token, known.local.size, known.local.mtime_ns, known.local.inode]
        for name, known in sorted(files.items())
    }


def _read_rows(rows: Mapping[str, Any]) -> dict[str, Known]:
    return {
        name: Known(str(token), LocalFile(*map(int, numbers)))
        for name, (token, *numbers) in rows.items()
    }
