"""Answer habits of miners (silent, outside 0..1, only 0 and 1), and the hotkeys that held a uid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from analytics.comparison.intervals import Interval, wilson_interval
from analytics.lives.order import Life
from analytics.warehouse.statements import named_rows, statements


@dataclass(frozen=True)
class HabitSettings:
    """Thresholds of the habits that are flagged, all shares 0..1.

    `few`: miners with fewer answers are not flagged. `level`: of the intervals.
    """

    few: int = 20
    hard_share: float = 0.99
    silent_share: float = 0.5
    level: float = 0.95


@dataclass(frozen=True)
class Habits:
    """Counts of one miner's answers by kind; times are UTC, None if not known.

    `asked` counts each slot of a uid asked twice. `silent` (-1), `not_finite` (NaN, infinite) and
    `out_of_range` are among it; `zero_or_one`, `half` (exactly 0.5) and `distinct_answers` are of
    the others. `hard`: almost all answers are 0 or 1; `mostly_silent`: most are -1. Intervals are
    Wilson's, of the share of `asked`.
    """

    uid: int
    hotkey: str
    asked: int
    silent: int
    not_finite: int
    out_of_range: int
    zero_or_one: int
    half: int
    distinct_answers: int
    first_time: datetime | None
    last_time: datetime | None
    silent_interval: Interval
    out_of_range_interval: Interval
    hard: bool
    mostly_silent: bool

    @property
    def in_range(self) -> int:
        """Answers in 0..1."""
        return self.asked - self.silent - self.not_finite - self.out_of_range


@dataclass(frozen=True)
class Tenure:
    """A period in which one hotkey held one uid without a break, in one validator's life (`life`).

    Times are UTC, None if not known.
    """

    life: str
    uid: int
    hotkey: str
    asked: int
    first_time: datetime | None
    last_time: datetime | None


def answer_habits(
    connection: duckdb.DuckDBPyConnection, settings: HabitSettings = HabitSettings()
) -> list[Habits]:
    """The habits of every miner by uid and hotkey; `answers.stage` comes before it."""
    return [_habits(row, settings) for row in _rows(connection, "analytics/miners/habits")]


def tenures(connection: duckdb.DuckDBPyConnection, lives: Sequence[Life]) -> list[Tenure]:
    """Which hotkey held each uid, in order of uid, validator's life and time.

    Args:
        connection: for which `answers.stage` was called.
        lives: what that returned.
    """
    names = {life.number: life.name for life in lives}
    rows = _rows(connection, "analytics/miners/tenures")
    return [Tenure(**(row | {"life": names[row["life"]]})) for row in rows]


def _habits(row: dict[str, Any], settings: HabitSettings) -> Habits:
    asked = row["asked"]
    in_range = asked - row["silent"] - row["not_finite"] - row["out_of_range"]
    return Habits(
        **row,
        silent_interval=wilson_interval(row["silent"], asked, settings.level),
        out_of_range_interval=wilson_interval(row["out_of_range"], asked, settings.level),
        hard=in_range >= settings.few and row["zero_or_one"] >= settings.hard_share * in_range,
        mostly_silent=asked >= settings.few and row["silent"] >= settings.silent_share * asked,
    )


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    return named_rows(connection.execute(statements(name)))
