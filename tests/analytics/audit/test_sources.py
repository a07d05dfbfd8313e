"""Media records against histories: what differs, what is equal, what only one of them holds."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.audit.sources import SourceCounts, source_counts
from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from data.records.fields import SERIES
from data.store import Store
from tests.conftest import golden_records
from tests.data.tables.history_tables import history_frame
from tests.worlds.audit_logs import write_lines
from tests.worlds.wandb_runs import write_media_files, write_run

Json = dict[str, Any]
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
# 20 challenges of 10 miners, in nine series
ALL = 20 * 10 * 9


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")[:20]


def downloaded(folder: Path, records: list[Json], history: pd.DataFrame) -> Path:
    """A run whose history is this table."""
    write_media_files(folder / "ab12cd34" / "media" / "html", records)
    history.to_parquet(folder / "ab12cd34" / "0000.parquet")
    return folder / "ab12cd34"


def counts(store: Store, runs: list[str] | None = None) -> SourceCounts:
    with reading(store) as connection:
        return source_counts(connection, runs)


def differing(store: Store) -> list[tuple[Any, ...]]:
    columns = "run_id, segment, step, uid, series, of_media, of_history"
    return query(store, f"SELECT {columns} FROM audit_sources ORDER BY ALL").rows  # noqa: S608


def test_equal_sources_are_compared_and_equal(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    ingest(store, [write_run(tmp_path / "run", "ab12cd34", e7, started=STARTED)])
    assert counts(store) == SourceCounts(ALL, ALL, 0, 0, 0)
    assert counts(store, ["ab12cd34"]) == counts(store)
    assert counts(store, ["other"]) == SourceCounts(0, 0, 0, 0, 0)
    assert differing(store) == []


@pytest.mark.parametrize("series", SERIES)
def test_a_number_that_differs_is_a_row(
    store: Store, tmp_path: Path, e7: list[Json], series: str
) -> None:
    frame = history_frame(e7)
    uid = e7[7]["miner_uids"][2]
    column = f"miner_{series}/uid_{uid}"
    was = float(frame[column][7])
    now = float(np.nextafter(np.float32(was), np.float32(2))) if series == "scores" else was + 1e-9
    frame.loc[7, column] = now
    ingest(store, [downloaded(tmp_path, e7, frame)])
    assert counts(store) == SourceCounts(ALL, ALL - 1, 1, 0, 0)
    assert differing(store) == [("ab12cd34", 0, 7, uid, series, pytest.approx(was, abs=0), now)]
    (row,) = query(store, "SELECT challenge_id FROM audit_sources").rows
    assert [row] == query(store, "SELECT challenge_id FROM media WHERE step = 7").rows


def test_last_digits_of_a_text_are_no_difference(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    frame = history_frame(e7)
    numbers = [name for name in map(str, frame) if name.startswith("miner_")]
    frame[numbers] *= 1 + 4 * np.finfo(np.float64).eps
    ingest(store, [downloaded(tmp_path, e7, frame)])
    assert counts(store) == SourceCounts(ALL, ALL, 0, 0, 0)


def test_nan_is_null_and_no_number(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    records = json.loads(json.dumps(e7))
    records[3]["predictions"][0] = None
    records[4]["predictions"][0] = None
    records[5]["miner_image_mcc"][0] = None
    for record in records[6:8]:
        record |= {"miner_image_auc": [None] * 10}
    frame = history_frame(e7)
    first = [record["miner_uids"][0] for record in e7]
    text = frame.astype(object)
    text.loc[3, f"miner_predictions/uid_{first[3]}"] = "NaN"
    text.loc[5, f"miner_mcc/uid_{first[5]}"] = math.nan  # the key is absent
    run = tmp_path / "ab12cd34"
    write_media_files(run / "media" / "html", records)
    text.to_csv(run / "history.csv", index=False)
    ingest(store, [run])
    was = e7[4]["predictions"][0]
    assert differing(store) == [("ab12cd34", 0, 4, first[4], "predictions", None, was)]
    found = counts(store)
    assert (found.differing, found.only_in_media, found.only_in_history) == (1, 0, 20)
    assert found.compared == ALL - 1 - 20


def test_what_one_source_lost_the_other_keeps(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    frame = history_frame(e7).drop(index=[2])
    column = f"miner_mcc/uid_{e7[9]['miner_uids'][4]}"
    frame.loc[9, column] = None
    run = downloaded(tmp_path, e7, frame)
    next((run / "media" / "html").glob("metadata_5_*.html")).unlink()
    ingest(store, [run])
    assert counts(store) == SourceCounts(ALL - 181, ALL - 181, 0, 91, 90)
    views = " UNION ALL ".join(f"SELECT step, uid FROM miner_{series}" for series in SERIES)  # noqa: S608
    assert query(store, f"SELECT count(*) FROM ({views})").rows == [(ALL,)]  # noqa: S608
    logged = "SELECT DISTINCT step FROM miner_mcc ORDER BY 1"
    assert query(store, logged).rows == [(step,) for step in range(20)]


def test_of_a_uid_that_was_asked_twice_the_last_answer_counts(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    records = json.loads(json.dumps(e7))
    records[0]["miner_uids"][1] = records[0]["miner_uids"][0]
    ingest(store, [write_run(tmp_path / "run", "ab12cd34", records, started=STARTED)])
    assert counts(store) == SourceCounts(ALL - 9, ALL - 9, 0, 0, 0)


def test_lives_and_segments_are_never_mixed(
    store: Store, tmp_path: Path, golden: Path, e7: list[Json]
) -> None:
    later = golden_records(golden, "e7")[20:40]
    downloaded(tmp_path / "a", e7, history_frame(e7))
    downloaded(tmp_path / "b", later, history_frame(later).assign(_timestamp=1.8e9))
    other = write_run(tmp_path / "c", "zz99zz99", later, started=STARTED)
    for folder in ("a", "b"):
        ingest(store, [tmp_path / folder])
    assert counts(store) == SourceCounts(2 * ALL, 2 * ALL, 0, 0, 0)
    ingest(store, [other])
    assert counts(store).differing == 0


def test_counts_are_those_of_all_parts(
    store: Store, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = history_frame(e7).drop(index=[2])
    frame.loc[7, f"miner_mcc/uid_{e7[7]['miner_uids'][2]}"] = 0.123
    ingest(store, [downloaded(tmp_path, e7, frame)])
    whole = counts(store)
    assert whole.differing == 1
    monkeypatch.setattr("analytics.audit.sources._ROWS_AT_A_TIME", 30)
    assert counts(store) == whole


def test_logs_without_a_history_are_not_compared(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    ingest(store, [write_lines(tmp_path / "x.jsonl", e7[:10])])
    write_media_files(tmp_path / "ab12cd34" / "media" / "html", e7[10:])
    ingest(store, [tmp_path / "ab12cd34"])
    assert counts(store) == SourceCounts(0, 0, 0, 0, 0)


def test_numbers_beyond_float32_end_nothing(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    frame = history_frame(e7)
    uid = e7[0]["miner_uids"][0]
    frame.loc[0, f"miner_scores/uid_{uid}"] = 1e300
    frame.loc[0, f"miner_rewards/uid_{uid}"] = -1.7e308
    run = downloaded(tmp_path, e7, frame)
    frame.to_csv(tmp_path / "ab12cd34.csv", index=False)
    ingest(store, [run])
    ingest(store, [tmp_path / "ab12cd34.csv"])
    assert [row[4:] for row in differing(store)] == [
        ("rewards", e7[0]["rewards"][0], -1.7e308),
        ("scores", pytest.approx(e7[0]["scores"][uid], rel=1e-7), 1e300),
    ]
