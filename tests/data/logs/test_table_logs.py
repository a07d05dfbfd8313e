"""Tables as logs: damaged ones, hostile ones."""

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.logs.table_logs import read_table
from data.records.types import Logged, Reject, SeriesStep
from tests.conftest import golden_records
from tests.data.tables.history_tables import history_frame, long_frame

Json = dict[str, Any]


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")[:20]


def frame_of(form: str, records: list[Json]) -> pd.DataFrame:
    if form == "records":
        return pd.DataFrame({"record": [json.dumps(record) for record in records]})
    frame = history_frame(records)
    return frame if form == "wide" else long_frame(frame)


@pytest.mark.parametrize("form", ["wide", "long", "records"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_flips_and_cuts_of_a_table_cost_what_they_hit(
    tmp_path: Path, e7: list[Json], form: str, suffix: str
) -> None:
    path = tmp_path / f"ab12cd34.{suffix}"
    frame = frame_of(form, e7)
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    whole = path.read_bytes()
    rng = random.Random(72)  # noqa: S311
    for number in range(60):
        spoiled = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
        path.write_bytes(spoiled[: rng.randrange(len(spoiled))] if number % 3 == 0 else spoiled)
        for item in read_table(path, "x"):
            if isinstance(item, Reject):
                assert "expected" in item.reason
                assert item.reason.isprintable()


def test_a_cut_csv_table_keeps_its_whole_rows(tmp_path: Path, e7: list[Json]) -> None:
    path = tmp_path / "ab12cd34.csv"
    text = history_frame(e7).to_csv(index=False)
    path.write_text(text[: text.index("\n12,") + 40])
    *steps, _run, reject = read_table(path, "x")
    assert [step.step for step in steps if isinstance(step, SeriesStep)] == list(range(12))
    assert isinstance(reject, Reject)
    assert "row 12: found" in reject.reason


@pytest.mark.parametrize(
    "cell",
    [
        "[" * 100_000,
        '{"predictions": ' + "[" * 100_000,
        "1" * 10_000_000,
        "{" + '"predictions":' * 1000,
        '{"predictions": [1e400], "label": 1}',
    ],
    ids=["nesting", "nesting in a key", "10 MB", "keys", "infinite"],
)
def test_a_hostile_cell_costs_its_row(tmp_path: Path, e7: list[Json], cell: str) -> None:
    path = tmp_path / "x.csv"
    texts = [json.dumps(e7[0]), cell, json.dumps(e7[1])]
    pd.DataFrame({"record": texts}).to_csv(path, index=False)
    first, bad, last = read_table(path, "x")
    assert isinstance(first, Logged)
    assert isinstance(last, Logged)
    assert isinstance(bad, Reject)
    assert (bad.origin.position, len(bad.excerpt) <= 200) == (1, True)


def test_hostile_cells_of_keys_cost_their_row(tmp_path: Path, e7: list[Json]) -> None:
    frame = pd.DataFrame(e7[:3])
    for name in ("predictions", "miner_uids", "rewards", "metadata", "data_aug_params", "scores"):
        frame[name] = frame[name].map(json.dumps)
    frame.loc[1, "predictions"] = "[" * 100_000
    frame.loc[2, "metadata"] = "{'gps': __import__('os').system('x')}"
    lists = [name for name in map(str, frame) if name.startswith("miner_") and name != "miner_uids"]
    for name in lists:
        frame[name] = frame[name].map(json.dumps)
    frame.to_csv(tmp_path / "x.csv", index=False)
    first, bad, odd = read_table(tmp_path / "x.csv", "x")
    assert isinstance(first, Logged)
    assert isinstance(bad, Reject)
    assert isinstance(odd, Logged)
    assert [problem.column for problem in odd.problems] == ["metadata"]
