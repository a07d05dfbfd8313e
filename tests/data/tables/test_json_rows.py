"""A history in JSON lines, as `run.scan_history()` gives its rows, is read as a table of it."""

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.logs.discovery import find_logs, read_log
from data.records.types import LogItem, Reject, Run, SeriesStep
from data.store import Store
from tests.conftest import golden_records

Json = dict[str, Any]


def history_rows(records: list[Json]) -> list[Json]:
    """Rows as the client returns them: null where a row lacks a key of another."""
    rows = [
        {"_step": step, "_timestamp": 1.7e9 + step, "metadata": {"_type": "html-file"}}
        | {
            f"miner_{series}/uid_{uid}": record[series][slot]
            for slot, uid in enumerate(record["miner_uids"])
            for series in ("rewards", "predictions")
        }
        for step, record in enumerate(records)
    ]
    keys = sorted({key for row in rows for key in row})
    return [{key: row.get(key) for key in keys} for row in rows]


def read(path: Path, content: bytes) -> list[LogItem]:
    path.write_bytes(content)
    (log,) = find_logs([path.parent])
    return [item for item in read_log(log, "x") if isinstance(item, SeriesStep | Reject | Run)]


def steps(items: list[LogItem]) -> list[int]:
    return [item.step for item in items if isinstance(item, SeriesStep)]


def as_lines(rows: list[Json]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize("name", ["run-ab12cd34.jsonl", "run-ab12cd34.jsonl.gz"])
def test_a_history_in_json_lines_gives_the_series_that_were_logged(
    tmp_path: Path, golden: Path, name: str
) -> None:
    records = golden_records(golden, "e7")[:20]
    content = as_lines(history_rows(records))
    log = tmp_path / name
    log.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    store = Store(tmp_path / "store")
    assert ingest(store, [log]).rejects == []
    found = query(
        store, "SELECT run_id, step, uid, rewards, predictions FROM history_series ORDER BY ALL"
    )
    assert found.rows == sorted(
        ("ab12cd34", step, uid, record["rewards"][slot], record["predictions"][slot])
        for step, record in enumerate(records)
        for slot, uid in enumerate(record["miner_uids"])
    )
    assert ingest(store, [log]).rejects == []


def test_a_history_of_no_known_run_says_how_to_name_it(tmp_path: Path) -> None:
    row = {"_step": 0, "_timestamp": 1.0, "miner_mcc/uid_4": 0.5}
    (reject,) = read(tmp_path / "rows.jsonl", as_lines([row]))
    assert isinstance(reject, Reject)
    assert "1 values of no known run" in reject.reason


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"_step": 1, "miner_mcc/uid_4": ',
        b"[1]",
        b"hello",
        b'{"deep": ' + b"[" * 10_000,
        b'{"_step": 1, "miner_mcc/uid_4": "\x1b[31m"}',
        b'{"_step": -1, "miner_mcc/uid_4": 0.5}',
        b'{"_step": 1, "miner_mcc/uid_4": [[0.5]]}',
        b"\xff\xfe\xfd",
        b"\0" * 5000,
    ],
)
def test_a_bad_row_costs_itself_alone(tmp_path: Path, hostile: bytes) -> None:
    good = [as_lines([{"_step": step, "miner_mcc/uid_4": 0.5}]) for step in (0, 2)]
    items = read(tmp_path / "run-ab12cd34.jsonl", good[0] + hostile + b"\n" + good[1])
    assert steps(items) == [0, 2]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert reject.reason.isprintable()
    assert "expected" in reject.reason


def test_a_history_that_was_cut_off_keeps_its_whole_rows(tmp_path: Path) -> None:
    content = as_lines([{"_step": step, "miner_mcc/uid_4": 0.5} for step in range(10)])
    items = read(tmp_path / "run-ab12cd34.jsonl", content[:-20])
    assert steps(items) == list(range(9))
    assert ["cut off" in item.reason for item in items if isinstance(item, Reject)] == [True]


def test_what_is_not_finite_is_nan_and_a_null_is_no_value(tmp_path: Path) -> None:
    row: Json = {"_step": 0, "miner_mcc/uid_4": math.nan, "miner_auc/uid_4": 0.5}
    row |= {"miner_mcc/uid_5": None, "miner_mcc/uid_6": "Infinity", "miner_auc/uid_6": 1}
    items = read(tmp_path / "run-ab12cd34.jsonl", as_lines([row]))
    (step,) = [item for item in items if isinstance(item, SeriesStep)]
    assert repr(step.values) == repr(
        {4: {"mcc": math.nan, "auc": 0.5}, 6: {"mcc": math.nan, "auc": 1.0}}
    )
