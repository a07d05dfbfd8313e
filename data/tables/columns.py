"""What the columns of a table are: a run's history, wide or long, or fields of Media records."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from data.records.fields import SERIES

# W&B names the columns of a panel's export after the run: `brisk-9 - miner_mcc/uid_4__MIN`.
_SERIES_COLUMN = re.compile(
    r"(?:(?P<run>.{1,200}) - )?miner_(?P<series>[a-z0-9_]{1,40})/uid_(?P<uid>\d{1,9})"
    r"(?P<bound>__MIN|__MAX)?",
    re.ASCII,
)
_NO_LETTER = re.compile(r"[^a-z0-9]")
_STEP, _TIME = frozenset({"step"}), frozenset({"timestamp"})
_RUN = frozenset({"runid", "run", "runname"})
_UID, _VALUE = frozenset({"uid", "mineruid"}), frozenset({"value"})
_SERIES_NAME = frozenset({"series", "metric", "key", "variable"})
_OTHER_SERIES_NAMES = {"prediction": "predictions", "reward": "rewards", "score": "scores"} | {
    "f1": "f1_score",
    "f1score": "f1_score",
}
_RECORD_COLUMNS = frozenset({"label", "predictions", "miner_uids", "rewards"})


@dataclass(frozen=True)
class SeriesColumn:
    """A column of one series of one uid; `run` as its name says, where it does.

    `lowest` and `highest` are the columns of the extremes of the steps that a value is the mean of.
    """

    series: str
    uid: int
    run: str | None = None
    lowest: int | None = None
    highest: int | None = None


@dataclass(frozen=True)
class HistoryColumns:
    """Where a table holds a run's history; all are numbers of columns.

    Wide: `values` is a column of each series and uid. Long: each row names a `uid`, and either the
    series (`series_name`, `value`) or has a column of each (`by_series`). `uid` is None where the
    series' name holds it, as in `miner_mcc/uid_4`.
    """

    step: int
    time: int | None = None
    run: int | None = None
    values: dict[int, SeriesColumn] = field(default_factory=dict)
    uid: int | None = None
    series_name: int | None = None
    value: int | None = None
    by_series: dict[int, str] = field(default_factory=dict)

    @property
    def wanted(self) -> set[int]:
        """Every column that is read."""
        bounds = {c for v in self.values.values() for c in (v.lowest, v.highest)}
        named = {self.step, self.time, self.run, self.uid, self.series_name, self.value} | bounds
        return {*self.values, *self.by_series, *(column for column in named if column is not None)}


def series_column(name: str) -> tuple[SeriesColumn, str | None] | None:
    """The series and uid that a column's name holds, and `__MIN` or `__MAX` where it is a bound."""
    match = _SERIES_COLUMN.fullmatch(name)
    if match is None or match["series"] not in SERIES:
        return None
    return SeriesColumn(match["series"], int(match["uid"]), match["run"]), match["bound"]


def series_of(name: str) -> str | None:
    """The series of a name such as `mcc`, `miner_mcc` or `miner_image_mcc`."""
    plain = name.lower().removeprefix("miner_").removeprefix("image_")
    plain = _OTHER_SERIES_NAMES.get(plain, plain)
    return plain if plain in SERIES else None


def history_columns(columns: Sequence[str]) -> HistoryColumns | None:
    """Where a table holds a run's history; None where it holds none."""
    step = _named(columns, _STEP)
    if step is None:
        return None
    time, run = _named(columns, _TIME), _named(columns, _RUN)
    if values := _wide(columns):
        return HistoryColumns(step, time, run, values=values)
    uid, value, name = (_named(columns, names) for names in (_UID, _VALUE, _SERIES_NAME))
    if value is not None and name is not None:
        return HistoryColumns(step, time, run, uid=uid, series_name=name, value=value)
    series = {column: series_of(name) for column, name in enumerate(columns)}
    by_series = {column: name for column, name in series.items() if name}
    if uid is not None and by_series:
        return HistoryColumns(step, time, run, uid=uid, by_series=by_series)
    return None


def record_columns(columns: Sequence[str]) -> bool:
    """True if the columns of a table are the keys of Media records."""
    return frozenset(columns) >= _RECORD_COLUMNS


def image_column(columns: Sequence[str]) -> str | None:
    """The first column whose name is that of images, as of source rows; None without one."""
    images = (name for name in columns if "image" in name.lower() and series_of(name) is None)
    return next(images, None)


def _named(columns: Sequence[str], names: frozenset[str]) -> int | None:
    plain = (_NO_LETTER.sub("", name.lower()) for name in columns)
    return next((column for column, name in enumerate(plain) if name in names), None)


def _wide(columns: Sequence[str]) -> dict[int, SeriesColumn]:
    values: dict[tuple[str | None, str, int], int] = {}
    bounds: dict[tuple[tuple[str | None, str, int], str], int] = {}
    for column, name in enumerate(columns):
        if (found := series_column(name)) is None:
            continue
        series, bound = found
        key = (series.run, series.series, series.uid)
        if bound:
            bounds.setdefault((key, bound), column)
        else:
            values.setdefault(key, column)
    return {
        column: SeriesColumn(
            series,
            uid,
            run,
            bounds.get(((run, series, uid), "__MIN")),
            bounds.get(((run, series, uid), "__MAX")),
        )
        for (run, series, uid), column in values.items()
    }
