"""Read a run's history from a table: the series of each step, as `SeriesStep`.

Values are kept as they are; what is no number, or no value of a step, becomes a reject.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from data.records.types import LogItem, Origin, Reject, Run, SeriesStep
from data.tables.columns import HistoryColumns, SeriesColumn, series_column, series_of
from data.tables.rows import Damage, Row, Table
from data.tables.run_names import RUN_REMEDY
from data.text import printable, storable

WHOLE_HISTORY = (
    "export whole rows: `run.scan_history()` without keys, or the run's Parquet history artifact"
)
# so many rows `run.history()` returns unless it is asked for more
_SAMPLED_ROWS = 500
_STEPS_AT_A_TIME = 1000
_MOST_STEP = 10**9
_NAMED_REJECTS = 10
_SHOWN = 60
# Times from 1e11 on are milliseconds: seconds would be in the year 5138.
_MILLISECONDS_FROM = 1e11
_NOT_FINITE = frozenset({"nan", "infinity", "-infinity", "inf", "-inf"})


@dataclass
class _Steps:
    """What was read of one run: its steps, and those not handed on yet, by step."""

    seen: set[int] = field(default_factory=set)
    values: dict[int, dict[int, dict[str, float]]] = field(default_factory=dict)
    times: dict[int, datetime | None] = field(default_factory=dict)


def read_history(
    table: Table, columns: HistoryColumns, file: str, run_id: str | None
) -> Iterator[LogItem]:
    """Read a table of series: its steps, the runs that they are of, and what could not be read.

    Where a step comes again with another value of a miner, that value is in a `SeriesStep` of its
    own behind the first, so that the merge tells it.

    Args:
        table: with its rows not read yet.
        columns: where it holds what.
        file: its name in the store.
        run_id: the run, where its name or folder says so; a column of runs, or several runs in the
            columns' names, win over it.
    """
    yield from _History(table, columns, file, run_id).items()


class _History:
    """The reading of one table."""

    def __init__(
        self, table: Table, columns: HistoryColumns, file: str, run_id: str | None
    ) -> None:
        self._table, self._columns, self._file = table, columns, file
        runs = {column.run for column in columns.values.values()}
        self._run_id = run_id if len(runs) <= 1 else None
        self._runs: dict[str, _Steps] = {}
        self._again: list[SeriesStep] = []
        self._rejects: list[Reject] = []
        self._more_rejects = 0
        self._rows = self._means = self._without_run = self._waiting = 0

    def items(self) -> Iterator[LogItem]:
        for row in self._table.rows(self._columns.wanted):
            if isinstance(row, Damage):
                self._damaged(row)
                continue
            self._rows += 1
            self._read(row)
            if self._waiting >= _STEPS_AT_A_TIME:
                yield from self._steps()
        yield from self._steps()
        yield from (
            _run(run_id, self._file, len(steps.seen)) for run_id, steps in self._runs.items()
        )
        yield from self._rejects
        yield from self._counted()

    def _read(self, row: Row) -> None:
        step = _step(row.cells.get(self._columns.step))
        if step is None:
            self._reject(row, self._columns.step, "a step: a whole number from 0")
            return
        read = self._wide_values if self._columns.values else self._long_values
        for run_id, column, uid, series in read(row):
            value = _number(row.cells[column])
            if value is None:
                self._reject(row, column, "a number", step)
            elif run_id is None:
                self._without_run += 1
            else:
                self._keep(run_id, step, uid, series, value, self._time(row))

    def _wide_values(self, row: Row) -> Iterator[tuple[str | None, int, int, str]]:
        run = self._run_of(row)
        for column, value in self._columns.values.items():
            if column not in row.cells:
                continue
            if _is_mean(row, value):
                self._means += 1
            else:
                yield run or value.run, column, value.uid, value.series

    def _long_values(self, row: Row) -> Iterator[tuple[str | None, int, int, str]]:
        columns, run = self._columns, self._run_of(row)
        named: dict[int, str | None] = dict(columns.by_series)
        uid = _step(row.cells.get(columns.uid)) if columns.uid is not None else None
        if columns.series_name is not None and columns.value is not None:
            name = str(row.cells.get(columns.series_name, ""))
            found = series_column(name)
            if found and found[1]:
                return  # a bound of a mean
            if found:
                uid = found[0].uid if uid is None else uid
                run = run or found[0].run
            named = {columns.value: found[0].series if found else series_of(name)}
        for column, series in named.items():
            if column not in row.cells or series is None:
                continue  # another metric of the run
            if uid is None:
                self._reject(row, columns.uid, "the uid of a miner")
                return
            yield run, column, uid, series

    def _run_of(self, row: Row) -> str | None:
        if self._columns.run is None:
            return self._run_id
        name = str(row.cells.get(self._columns.run, "")).strip()
        return storable(name) or None

    def _time(self, row: Row) -> datetime | None:
        return None if self._columns.time is None else _time(row.cells.get(self._columns.time))

    def _keep(
        self, run_id: str, step: int, uid: int, series: str, value: float, time: datetime | None
    ) -> None:
        steps = self._runs.setdefault(run_id, _Steps())
        self._waiting += step not in steps.values
        steps.seen.add(step)
        steps.times.setdefault(step, time)
        of_uid = steps.values.setdefault(step, {}).setdefault(uid, {})
        held = of_uid.setdefault(series, value)
        if math.isnan(held):  # perhaps no value: other programs fill empty cells with it
            of_uid[series] = value
        elif held != value and not math.isnan(value):
            self._again.append(SeriesStep(run_id, step, {uid: {series: value}}, time))
            self._waiting += 1

    def _steps(self) -> Iterator[LogItem]:
        for run_id, steps in self._runs.items():
            for step, values in steps.values.items():
                if answered := _without_padding(values):
                    yield SeriesStep(run_id, step, answered, steps.times.get(step))
            steps.values, steps.times = {}, {}
        yield from self._again
        self._again, self._waiting = [], 0

    def _damaged(self, damage: Damage) -> None:
        what = "what follows is lost" if damage.rest else "it is left out"
        reason = f"row {damage.number}: found {damage.reason}; expected a row of the table; {what}"
        self._add(self._reject_of(damage.number, None, printable(reason), ""))

    def _reject(self, row: Row, column: int | None, expected: str, step: int | None = None) -> None:
        name, found = "uid", "nothing"
        if column is not None:
            name = printable(self._table.columns[column], _SHOWN)
            found = printable(repr(row.cells.get(column, found)), _SHOWN)
        reason = f"row {row.number}, {name}: found {found}; expected {expected}"
        self._add(self._reject_of(row.number, step, reason, "", name))

    def _add(self, reject: Reject) -> None:
        if len(self._rejects) < _NAMED_REJECTS:
            self._rejects.append(reject)
        else:
            self._more_rejects += 1

    def _reject_of(
        self, row: int, step: int | None, reason: str, excerpt: str, column: str | None = None
    ) -> Reject:
        return Reject(Origin(self._file, row, step=step), reason, excerpt, column)

    def _counted(self) -> Iterator[Reject]:
        """What is told once for the whole table."""
        if self._more_rejects:
            yield self._of_table(f"{self._more_rejects} more rows and values", "none to refuse")
        if self._without_run:
            problem = f"{self._without_run} values of no known run"
            yield self._of_table(problem, "the run's id", RUN_REMEDY)
        if self._means:
            problem = f"{self._means} means of several steps (their __MIN and __MAX differ)"
            yield self._of_table(problem, "the value of each step", WHOLE_HISTORY)
        for steps in self._runs.values():
            if len(steps.seen) == _SAMPLED_ROWS == self._rows and max(steps.seen) - min(
                steps.seen
            ) >= len(steps.seen):
                problem = f"{_SAMPLED_ROWS} steps with gaps, as `run.history()` samples them"
                yield self._of_table(problem, "every step; those found are kept", WHOLE_HISTORY)
        if not (self._runs or self._rejects or self._means or self._without_run):
            yield self._of_table("no value of a miner's series", "a run's history")

    def _of_table(self, found: str, expected: str, remedy: str = "") -> Reject:
        reason = f"table: found {found}; expected {expected}" + (f"; {remedy}" if remedy else "")
        return Reject(Origin(self._file, None), reason, "")


def _run(run_id: str, file: str, steps: int) -> Run:
    return Run(run_id, file, None, None, "{}", None, finished=False, exit_code=None, steps=steps)


def _is_mean(row: Row, value: SeriesColumn) -> bool:
    """True where a value stands for steps that differ: W&B thins a panel's lines out."""
    if value.lowest is None or value.highest is None:
        return False
    lowest, highest = row.cells.get(value.lowest), row.cells.get(value.highest)
    return lowest is not None and highest is not None and _number(lowest) != _number(highest)


def _without_padding(values: dict[int, dict[str, float]]) -> dict[int, dict[str, float]]:
    """The uids that have a value: other programs write NaN for all of who was not asked."""
    return {
        uid: of_uid
        for uid, of_uid in values.items()
        if not all(math.isnan(value) for value in of_uid.values())
    }


def _step(value: Any) -> int | None:
    """A whole number from 0, as a step or uid is; None for anything else."""
    number = _number(value)
    if number is None or not number.is_integer() or not 0 <= number < _MOST_STEP:
        return None
    return int(number)


def _number(value: Any) -> float | None:
    """A number, NaN where one was logged that is not finite; None for what is no number."""
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in _NOT_FINITE:
            return math.nan
        if "_" in text:  # Python's own notation
            return None
        value = text
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else math.nan


def _time(value: Any) -> datetime | None:
    """A time as W&B logs it, seconds since 1970, or as other programs write it; UTC."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    number = _number(value)
    try:
        if number is None:
            time = datetime.fromisoformat(str(value).strip())
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        return datetime.fromtimestamp(
            number / 1000 if number >= _MILLISECONDS_FROM else number, UTC
        )
    except (ValueError, OverflowError, OSError):
        return None
