"""Histories in tables: every form gives the steps that pandas wrote."""

import io
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records.types import LogItem, Reject, Run, SeriesStep
from data.tables.columns import history_columns
from data.tables.history import read_history
from data.tables.rows import Table, csv_table, parquet_table

Values = dict[int, dict[int, dict[str, float]]]

HISTORY: Values = {
    0: {
        4: {"mcc": 0.1, "predictions": -1.0},
        7: {"mcc": 1 / 3, "predictions": 0.30000000000000004},
    },
    1: {9: {"mcc": 0.0, "predictions": 1e-300}},
    5: {4: {"mcc": 1.0, "predictions": 0.5}},
}


def wide(history: Values) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"_step": step, "_timestamp": 1767000000.5 + step}
            | {
                f"miner_{series}/uid_{uid}": value
                for uid, values in of_step.items()
                for series, value in values.items()
            }
            for step, of_step in history.items()
        ]
    )


def read(table: Table, run_id: str | None = "ab12cd34") -> list[LogItem]:
    columns = history_columns(table.columns)
    assert columns is not None
    return list(read_history(table, columns, "x.csv", run_id))


def read_csv(text: str | bytes, run_id: str | None = "ab12cd34") -> list[LogItem]:
    content = text if isinstance(text, bytes) else text.encode()
    return read(csv_table(lambda: io.BytesIO(content)), run_id)


def series(items: list[LogItem]) -> dict[str, Values]:
    """Values by run and step, as put together from all items."""
    found: dict[str, Values] = {}
    for item in items:
        if isinstance(item, SeriesStep):
            of_step = found.setdefault(item.run_id, {}).setdefault(item.step, {})
            for uid, values in item.values.items():
                of_step.setdefault(uid, {}).update(values)
    return found


def reasons(items: list[LogItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Reject)]


def long(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="_timestamp").melt("_step").dropna()


def by_uid(frame: pd.DataFrame) -> pd.DataFrame:
    cells = long(frame)
    cells["uid"] = cells["variable"].str.extract(r"uid_(\d+)").astype(int)
    cells["series"] = cells["variable"].str.extract(r"miner_(\w+)/")
    return cells[["_step", "uid", "series", "value"]]


@pytest.mark.parametrize(
    "written",
    [
        lambda frame: frame.to_csv(index=False),
        lambda frame: frame.to_csv(),
        lambda frame: frame.to_csv(sep=";", index=False),
        lambda frame: frame.to_csv(sep="\t", index=False, lineterminator="\r\n"),
        lambda frame: frame.to_csv(index=False, na_rep="NaN"),
        lambda frame: long(frame).to_csv(index=False),
        lambda frame: by_uid(frame).to_csv(index=False),
        lambda frame: (
            by_uid(frame).pivot(index=["_step", "uid"], columns="series", values="value").to_csv()
        ),
    ],
)
def test_every_form_of_a_table_gives_the_same_series(written: Any) -> None:
    items = read_csv(written(wide(HISTORY)))
    assert series(items) == {"ab12cd34": HISTORY}
    assert reasons(items) == []
    (run,) = (item for item in items if isinstance(item, Run))
    assert (run.run_id, run.steps) == ("ab12cd34", 3)


@pytest.mark.parametrize("to", [wide, lambda history: by_uid(wide(history))])
def test_parquet_gives_the_same_series(tmp_path: Path, to: Any) -> None:
    to(HISTORY).to_parquet(tmp_path / "x.parquet")
    items = read(parquet_table(tmp_path / "x.parquet"))
    assert series(items) == {"ab12cd34": HISTORY}
    assert reasons(items) == []


def test_times_are_those_of_the_history() -> None:
    steps = [
        item for item in read_csv(wide(HISTORY).to_csv(index=False)) if isinstance(item, SeriesStep)
    ]
    assert [step.time for step in steps] == [
        datetime.fromtimestamp(1767000000.5 + step, UTC) for step in HISTORY
    ]
    for written in ("1767000000500", "2025-12-29 09:20:00.5", "2025-12-29T10:20:00.500+01:00"):
        (step, _) = read_csv(f"_step,_timestamp,miner_mcc/uid_1\n0,{written},0.5\n")
        assert isinstance(step, SeriesStep)
        assert step.time == datetime.fromtimestamp(1767000000.5, UTC)


def test_runs_come_from_a_column_then_the_table_then_the_columns_names() -> None:
    rows = "run_id,step,uid,mcc\none,0,4,0.5\ntwo,0,4,0.25\n"
    assert series(read_csv(rows)) == {
        "one": {0: {4: {"mcc": 0.5}}},
        "two": {0: {4: {"mcc": 0.25}}},
    }
    panel = "Step,a - miner_mcc/uid_4,b - miner_mcc/uid_4\n0,0.5,0.25\n"
    several = {"a": {0: {4: {"mcc": 0.5}}}, "b": {0: {4: {"mcc": 0.25}}}}
    assert series(read_csv(panel)) == series(read_csv(panel, None)) == several
    one = "Step,a - miner_mcc/uid_4\n0,0.5\n"
    assert series(read_csv(one)).keys() == {"ab12cd34"}
    assert series(read_csv(one, None)).keys() == {"a"}


def test_a_table_of_no_run_says_how_to_name_it() -> None:
    (reject,) = reasons(read_csv("_step,miner_mcc/uid_4\n0,0.5\n1,0.5\n", None))
    assert "found 2 values of no known run" in reject
    assert "name the table after its run, RUN_ID.csv" in reject


def test_means_of_several_steps_are_no_values() -> None:
    name = "r - miner_mcc/uid_4"
    text = f"Step,{name},{name}__MIN,{name}__MAX\n0,0.5,0.5,0.5\n10,0.5,0.25,0.75\n"
    items = read_csv(text)
    assert series(items) == {"ab12cd34": {0: {4: {"mcc": 0.5}}}}
    (reject,) = reasons(items)
    assert "found 1 means of several steps" in reject
    assert "scan_history" in reject


def test_a_sampled_history_is_kept_and_told() -> None:
    def rows(count: int, apart: int) -> str:
        return "_step,miner_mcc/uid_4\n" + "".join(f"{apart * n},0.5\n" for n in range(count))

    items = read_csv(rows(500, 7))
    assert len(series(items)["ab12cd34"]) == 500
    (reject,) = reasons(items)
    assert "500 steps with gaps, as `run.history()` samples them" in reject
    assert reasons(read_csv(rows(500, 1))) == reasons(read_csv(rows(499, 7))) == []


def test_bad_cells_are_named_by_row_and_column_and_counted() -> None:
    lines = ["_step,miner_mcc/uid_4,miner_mcc/uid_5"]
    lines += [f"{step},x{step},0.5" for step in range(30)] + ["z,0.5,0.5", "1_0,0.5,0.5", "-1,1,1"]
    items = read_csv("\n".join(lines))
    assert series(items) == {"ab12cd34": {step: {5: {"mcc": 0.5}} for step in range(30)}}
    found = [item for item in items if isinstance(item, Reject)]
    assert len(found) == 11
    assert found[3].reason == "row 3, miner_mcc/uid_4: found 'x3'; expected a number"
    assert (found[3].column, found[3].origin.position) == ("miner_mcc/uid_4", 3)
    assert "found 23 more rows and values" in found[-1].reason


def test_what_was_not_finite_is_nan_and_padding_is_nothing() -> None:
    text = (
        "_step,miner_mcc/uid_4,miner_predictions/uid_4,miner_mcc/uid_5,miner_predictions/uid_5\n"
        "0,0.5,NaN,NaN,nan\n"
        "1,Infinity,0.5,,\n"
    )
    found = series(read_csv(text))["ab12cd34"]
    assert found.keys() == {0, 1}
    assert found[0].keys() == {4}
    assert math.isnan(found[0][4]["predictions"])
    assert math.isnan(found[1][4]["mcc"])


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (b"0,0.5,0.5\n", "3 fields in place of 2"),
        (b"0\n", "1 fields in place of 2"),
        (b'"0,' + b"x" * 10 + b"\n", "fields in place of 2"),
        (b"\0\0\0\n", "1 fields"),
    ],
)
def test_a_damaged_row_costs_itself(damage: bytes, found: str) -> None:
    text = b"_step,miner_mcc/uid_4\n0,0.5\n"
    items = read_csv(text + damage)
    assert series(items) == {"ab12cd34": {0: {4: {"mcc": 0.5}}}}
    assert found in reasons(items)[0]


def test_another_value_of_a_step_comes_behind_the_first() -> None:
    rows = "0,0.5,0.5\n0,0.5,0.75\n0,0.25,0.5\n1,NaN,1\n1,0.5,NaN\n"
    items = read_csv("_step,miner_mcc/uid_4,miner_mcc/uid_5\n" + rows)
    assert [(item.step, item.values) for item in items if isinstance(item, SeriesStep)] == [
        (0, {4: {"mcc": 0.5}, 5: {"mcc": 0.5}}),
        (1, {4: {"mcc": 0.5}, 5: {"mcc": 1.0}}),
        (0, {5: {"mcc": 0.75}}),
        (0, {4: {"mcc": 0.25}}),
    ]


def test_a_table_of_no_series_says_so() -> None:
    (reject,) = reasons(read_csv("_step,miner_mcc/uid_4\n0,\n1,\n"))
    assert "no value of a miner's series" in reject


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.dictionaries(
        st.integers(0, 50),
        st.dictionaries(
            st.integers(0, 255),
            st.dictionaries(st.sampled_from(["mcc", "rewards", "scores"]), FLOATS, min_size=1),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_history_is_read_back_as_pandas_wrote_it(history: Values) -> None:
    frame = wide(history)
    assert series(read_csv(frame.to_csv(index=False))) == {"ab12cd34": history}
    assert series(read_csv(long(frame).to_csv(index=False))) == {"ab12cd34": history}
