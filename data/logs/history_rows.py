"""Rows of a run's history: the series that a validator logged at a step, and when.

Keys are `miner_<series>/uid_<N>`, `_timestamp`, and `metadata` for the media file of the challenge.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from data.errors import is_of_the_machine
from data.logs.line_spans import MAX_RECORD_BYTES
from data.records.fields import SERIES
from data.records.types import Origin, Reject
from data.text import printable

# One step is one challenge: no validator gets this far, so a larger step is damage.
MAX_STEP = 10**9
MEDIA_KEY, TIME_KEY = "metadata", "_timestamp"
_SERIES_KEY = re.compile(r"miner_([a-z0-9_]+)/uid_(\d{1,9})", re.ASCII)
_STEP_KEY = "_step"
_EXCERPT = 100


@dataclass(frozen=True)
class HistoryRow:
    """One step: logged values by uid and series name, NaN where not finite, and when (UTC)."""

    step: int
    time: datetime | None
    values: dict[int, dict[str, float]]
    has_media: bool


@lru_cache(2**14)  # every row of a run has keys of the same few thousand
def series_of(key: str) -> tuple[str, int] | None:
    """The series and the uid that a key of a history row names, None for another key."""
    match = _SERIES_KEY.fullmatch(key)
    return (match[1], int(match[2])) if match and match[1] in SERIES else None


def finite_or_nan(value: Any) -> float:
    """A logged number; W&B writes NaN and infinities as bare tokens or as words in quotes."""
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def logged_time(seconds: float) -> datetime | None:
    """The time of a row from seconds since 1970; None for a number that is no time."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_history_rows(path: Path, file: str, run_id: str) -> Iterator[HistoryRow | Reject]:
    """The rows of a history in JSON lines, and what is no row; a key without a value is absent.

    Args:
        path: of the JSON lines.
        file: of the log, its name in the store.
        run_id: of the run.
    """
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(MAX_RECORD_BYTES):
                row = _row(line)
                if isinstance(row, str):
                    reason = f"{path.name}, line {number + 1}: {row}"
                    excerpt = printable(line[:_EXCERPT].decode("utf-8", "replace"))
                    yield Reject(Origin(file, None, run_id), reason, excerpt)
                else:
                    yield row
                number += 1
    except OSError as error:
        reason = f"{path.name}: found {error.strerror}; expected a file that may be read"
        origin = Origin(file, None, run_id)
        yield Reject(origin, printable(reason), "", is_passing=is_of_the_machine(error))


def _row(line: bytes) -> HistoryRow | str:
    """A row, or why the line is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        ended = "" if line.endswith(b"\n") else " (a line that was cut off)"
        return f"found no JSON{ended}: {printable(str(error), _EXCERPT)}"
    step = row.get(_STEP_KEY) if isinstance(row, Mapping) else None
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < MAX_STEP:
        return f"found no step; expected {_STEP_KEY} from 0 to {MAX_STEP - 1}"
    values: dict[int, dict[str, float]] = {}
    for key, value in row.items():
        if value is not None and (series := series_of(key)):
            values.setdefault(series[1], {})[series[0]] = finite_or_nan(value)
    return HistoryRow(
        step,
        logged_time(finite_or_nan(row.get(TIME_KEY))),
        values,
        has_media=row.get(MEDIA_KEY) is not None,
    )
