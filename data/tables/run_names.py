"""Whose history a table is, where only its name or its folder's says so."""

import re
from pathlib import Path

from data.archives.members import folder_name

# `run-20260101_120000-ab12cd34`, as W&B names a run's folder
_DATED = r"(?:offline-)?run-\d{8}_\d{6}-([A-Za-z0-9_-]{1,64}?)"
# an id that W&B made; a word of eight letters such as "exported" is none
_MADE_BY_WANDB = r"(?=[a-z]*\d)([a-z0-9]{8})"
# `-history`, as W&B names the artifact of a run's history, with its version
_HISTORY = r"(?:[-_.]history)?(?:[:-]v\d+)?"
_FOLDER = re.compile(rf"(?:{_DATED}|(?:run-)?{_MADE_BY_WANDB}){_HISTORY}", re.ASCII)
_FILE = re.compile(
    rf"(?:{_DATED}|{_MADE_BY_WANDB}|run-(?!history)([A-Za-z0-9_-]{{1,64}}?)){_HISTORY}", re.ASCII
)
_SUFFIXES = re.compile(
    r"(?:\.(?:csv|tsv|txt|parquet|json|jsonl|ndjson|gz|zst|bz2|\d{1,3}))+", re.IGNORECASE
)
RUN_REMEDY = (
    "name the table after its run, RUN_ID.csv or run-RUN_ID.parquet, or put it into a folder that "
    "is named so"
)


def run_named_by(path: Path) -> str | None:
    """The run id that a table's name holds, else that in the name of its folder."""
    stem = path.name
    if suffixes := _SUFFIXES.search(stem):
        stem = stem[: suffixes.start()]
    match = _FILE.fullmatch(stem) or _FOLDER.fullmatch(folder_name(path.parent))
    return next(filter(None, match.groups()), None) if match else None
