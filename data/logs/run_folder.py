"""The folder of a run that was downloaded: which files it holds, and what describes the run."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.archives.members import folder_name
from data.logs.file_names import path_text
from data.text import storable

MEDIA = Path("media/html")
SUMMARY, METADATA, CONFIG = "wandb-summary.json", "wandb-metadata.json", "config.yaml"
# What `data.wandb_service` adds: which run it is, and its history in whole rows.
DESCRIPTION, HISTORY = "run.json", "history.jsonl"
# In `run.json`: why media files that the service lists were not downloaded, by base name.
LEFT_OUT = "left_out"

_FILES = "files"
_RUN_NAME = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-([A-Za-z0-9_-]{1,64})", re.ASCII)
# What W&B itself makes up as an id.
_OWN_ID = re.compile(r"[a-z0-9]{8}", re.ASCII)
_MOST_BYTES = 2**20
_MOST_CHARACTERS = 128


@dataclass(frozen=True)
class RunDescription:
    """Which run a folder is of, as far as it says; `id_is_known` is false where that is a guess."""

    run_id: str
    id_is_known: bool
    name: str | None = None
    project: str | None = None
    started: datetime | None = None
    finished: bool = False


def has_history(folder: Path) -> bool:
    """True if a folder holds a run's history from the service, and may be entered."""
    try:
        return all((folder / name).is_file() for name in (DESCRIPTION, HISTORY))
    except OSError:
        return False


def describe_run(folder: Path) -> RunDescription:
    """Which run a folder is of: by its `run.json`, else by its name."""
    described = _json_object(folder / DESCRIPTION)
    own_id = _text(described.get("id"))
    run_id, is_known = (own_id, True) if own_id else _id_of_name(folder)
    started = _time(described.get("created_at"))
    return RunDescription(
        run_id,
        is_known,
        name=_text(described.get("name")),
        project=_text(described.get("project")),
        started=started or _time(_json_object(folder / METADATA).get("startedAt")),
        finished=described.get("state") == "finished",
    )


def left_out_media(folder: Path) -> dict[str, str]:
    """Media files that the service lists and that were not downloaded: the reason by base name."""
    reasons = _json_object(folder / DESCRIPTION).get(LEFT_OUT)
    if not isinstance(reasons, dict):
        return {}
    return {name: reason for name, reason in sorted(reasons.items()) if isinstance(reason, str)}


def _id_of_name(folder: Path) -> tuple[str, bool]:
    """The id in a folder's name, and whether it is one: another name may be a person's own."""
    resolved = folder.resolve()
    named = resolved.parent if resolved.name == _FILES else resolved
    name = folder_name(named)
    match = _RUN_NAME.fullmatch(name)
    if match:
        return match[1], True
    return path_text(Path(name)), _OWN_ID.fullmatch(name) is not None


def _json_object(path: Path) -> dict[str, Any]:
    """A small JSON object; empty where there is none."""
    try:
        with path.open("rb") as stream:
            value = json.loads(stream.read(_MOST_BYTES).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _MOST_CHARACTERS:
        return None
    return storable(value.strip())


def _time(value: Any) -> datetime | None:
    """An ISO time; W&B writes UTC, older versions of it without a Z."""
    try:
        time = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
