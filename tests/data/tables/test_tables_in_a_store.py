"""Tables of a run's history, and of Media records, in a store beside other forms of the same."""

import json
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.records.fields import SERIES
from data.store import Store
from tests.conftest import golden_records
from tests.data.tables.history_tables import history_frame, long_frame, only
from tests.worlds.audit_logs import write_lines
from tests.worlds.wandb_runs import write_media_files, write_run

Json = dict[str, Any]

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
SERIES_VALUES = " UNION ALL ".join(
    f"SELECT '{series}' AS series, * FROM miner_{series}"  # noqa: S608
    for series in SERIES
)


def values(store: Store) -> list[tuple[Any, ...]]:
    return query(store, f"SELECT * FROM ({SERIES_VALUES}) ORDER BY ALL").rows  # noqa: S608


def segments(store: Store, relation: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT run_id, segment, count(DISTINCT step) FROM {relation} GROUP BY ALL"  # noqa: S608
    return query(store, sql).rows


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")


@pytest.fixture
def whole(tmp_path: Path, e7: list[Json]) -> list[tuple[Any, ...]]:
    """All values of the run, as its transaction log gives them."""
    store = Store(tmp_path / "whole")
    ingest(store, [write_run(tmp_path / "whole-run", "ab12cd34", e7[:30], started=STARTED)])
    return values(store)


def test_a_downloaded_run_with_its_history_is_whole_and_timed(
    store: Store, tmp_path: Path, e7: list[Json], whole: list[Any]
) -> None:
    run = tmp_path / "ab12cd34"
    write_media_files(run / "media" / "html", e7[:30])
    history_frame(e7[:30]).to_parquet(run / "0000.parquet")
    report = ingest(store, [run])
    assert (report.logs, report.rejects) == (["ab12cd34"], [])
    assert values(store) == whole
    times = "SELECT count(time), min(time), max(step) FROM media"
    assert query(store, times).rows == [(30, datetime(2026, 1, 1), 29)]
    assert query(store, "SELECT DISTINCT logged FROM miner_series").rows == [(True,)]
    assert not ingest(store, [run]).changed


def test_a_downloaded_run_that_lost_its_media_keeps_its_history(
    store: Store, tmp_path: Path, e7: list[Json], whole: list[Any]
) -> None:
    run = tmp_path / "ab12cd34"
    run.mkdir()
    (run / "config.yaml").write_text("uid:\n  value: 4\n")
    (run / "wandb-summary.json").write_text("{}")
    history_frame(e7[:30]).to_csv(run / "history.csv", index=False)
    report = ingest(store, [run])
    (reject,) = report.rejects
    assert "found no file of a challenge" in reject["reason"]
    assert [row[:5] for row in values(store)] == [row[:5] for row in whole]
    assert query(store, "SELECT run_id, validator_uid FROM runs").rows == [("ab12cd34", 4)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_tables_beside_a_run_are_that_run_whichever_is_read_first(
    tmp_path: Path, e7: list[Json], whole: list[Any], order: tuple[int, ...]
) -> None:
    frame = history_frame(e7[:30])
    write_media_files(tmp_path / "ab12cd34" / "media" / "html", e7[:30])
    frame.to_parquet(tmp_path / "run-ab12cd34.parquet")
    long_frame(frame[10:]).to_csv(tmp_path / "run-ab12cd34-history.csv", index=False)
    paths = [
        tmp_path / name for name in ("ab12cd34", "run-ab12cd34.parquet", "run-ab12cd34-history.csv")
    ]
    store = Store(tmp_path / "store")
    for place in order:
        assert not ingest(store, [paths[place]]).rejects
    assert values(store) == whole
    assert segments(store, "media") == segments(store, "miner_series") == [("ab12cd34", 0, 30)]
    assert not ingest(store, [tmp_path / "ab12cd34", *paths]).changed


def test_panels_of_single_series_add_up(
    store: Store, tmp_path: Path, e7: list[Json], whole: list[Any]
) -> None:
    frame = history_frame(e7[:30])
    for series in SERIES:
        path = tmp_path / series / "ab12cd34.csv"
        path.parent.mkdir()
        only(frame, series).to_csv(path, index=False)
        assert not ingest(store, [path]).rejects
    assert [row[:5] for row in values(store)] == [row[:5] for row in whole]
    assert [row[6] for row in values(store)] == [row[6] for row in whole]


def test_panels_of_single_miners_add_up(
    store: Store, tmp_path: Path, e7: list[Json], whole: list[Any]
) -> None:
    frame = only(history_frame(e7[:30]), "mcc")
    for place, column in enumerate(frame.columns[1:]):
        path = tmp_path / "panels" / str(place) / "ab12cd34.csv"
        path.parent.mkdir(parents=True)
        frame[["_step", column]].dropna().to_csv(path, index=False)
    assert not ingest(store, [tmp_path / "panels"]).rejects
    assert [row[:5] for row in values(store)] == [row[:5] for row in whole if row[0] == "mcc"]


def test_a_table_of_one_series_loses_nothing_that_the_records_hold(
    store: Store, tmp_path: Path, e7: list[Json], whole: list[Any]
) -> None:
    run = tmp_path / "ab12cd34"
    write_media_files(run / "media" / "html", e7[:30])
    frame = only(history_frame(e7[:30]), "mcc")
    uid = e7[3]["miner_uids"][0]
    frame.loc[3, f"miner_mcc/uid_{uid}"] = None
    frame.to_csv(run / "mcc.csv", index=False)
    assert not ingest(store, [run]).rejects
    assert values(store) == whole
    logged = "SELECT count(*) FILTER (logged), count(mcc) FILTER (NOT logged) FROM miner_series"
    assert query(store, logged).rows == [(299, 1)]


def test_two_segments_of_a_run_take_each_its_own_table(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    for place, records in enumerate((e7[:20], e7[20:50])):
        write_media_files(tmp_path / str(place) / "ab12cd34" / "media" / "html", records)
        ingest(store, [tmp_path / str(place)])
        history_frame(records).to_parquet(tmp_path / f"run-ab12cd34_history.{place}.parquet")
    for place in (1, 0):
        path = tmp_path / str(place) / "run-ab12cd34_history.parquet"
        (tmp_path / f"run-ab12cd34_history.{place}.parquet").rename(path)
        assert not ingest(store, [path]).rejects
    counted = "SELECT segment, count(*), count(challenge_id) FROM miner_series GROUP BY ALL"
    assert query(store, f"{counted} ORDER BY ALL").rows == [(0, 200, 200), (1, 300, 300)]
    assert query(store, "SELECT DISTINCT logged FROM miner_series").rows == [(True,)]


def test_another_history_of_a_run_is_told_and_not_mixed_in(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    frame = history_frame(e7[:30])
    ingest(store, [write_run(tmp_path / "run", "ab12cd34", e7[:30], started=STARTED)])
    before = values(store)
    other = frame.copy()
    column = f"miner_predictions/uid_{e7[3]['miner_uids'][0]}"
    other.loc[3, column] = 0.123
    other.to_csv(tmp_path / "ab12cd34.csv", index=False)
    report = ingest(store, [tmp_path / "ab12cd34.csv"])
    (reject,) = report.rejects
    assert "found 1 steps of run ab12cd34, from step 3, with other values" in reject["reason"]
    assert values(store) == before


def test_numbers_of_which_a_program_wrote_fewer_digits_are_the_same(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    ingest(store, [write_run(tmp_path / "run", "ab12cd34", e7[:30], started=STARTED)])
    before = values(store)
    frame = history_frame(e7[:30])
    scores = [name for name in map(str, frame) if "scores" in name]
    frame[scores] = frame[scores].map(lambda value: float(f"{value:.9g}"))
    frame.to_csv(tmp_path / "ab12cd34.csv", index=False, float_format="%.15g")
    report = ingest(store, [tmp_path / "ab12cd34.csv"])
    assert (report.rejects, values(store)) == ([], before)


@pytest.mark.parametrize("form", ["text", "columns", "csv"])
def test_tables_of_media_records_are_records(
    store: Store, tmp_path: Path, e7: list[Json], form: str
) -> None:
    # a Parquet column of objects gives all of them the keys of each
    e7 = [record for record in e7 if record["metadata"].keys() == e7[0]["metadata"].keys()][:20]
    ingest(store, [write_lines(tmp_path / "x.jsonl", e7)])
    ids = query(store, "SELECT challenge_id FROM media ORDER BY 1").rows
    if form == "columns":
        frame = pd.DataFrame(e7)
        frame["data_aug_params"] = frame["data_aug_params"].map(json.dumps)
        frame.to_parquet(tmp_path / "x.parquet")
    else:
        frame = pd.DataFrame({"run": "r", "record": [json.dumps(record) for record in e7]})
        if form == "text":
            frame.to_parquet(tmp_path / "x.parquet")
        else:
            frame.to_csv(tmp_path / "x.csv.gz", index=False)
    (table,) = tmp_path.glob("x.[pc]*")
    other = Store(tmp_path / "other")
    assert not ingest(other, [table]).rejects
    assert query(other, "SELECT challenge_id FROM media ORDER BY 1").rows == ids
    again = ingest(store, [table])
    assert (again.challenges_new, again.challenges_read, again.rejects) == (0, len(e7), [])


def test_a_bad_record_of_a_table_costs_itself(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    texts = [json.dumps(e7[0]), '{"label": 1, "pre', json.dumps(e7[1] | {"label": 7})]
    pd.DataFrame({"record": [*texts, json.dumps(e7[2])]}).to_csv(tmp_path / "x.csv", index=False)
    report = ingest(store, [tmp_path / "x.csv"])
    assert report.challenges_new == 2
    assert [row["position"] for row in report.rejects] == [1, 2]


@pytest.mark.parametrize("column", ["predictions", "label", "metadata"])
@pytest.mark.parametrize("depth", [700, 100_000])
def test_a_cell_nested_deeply_costs_its_record_at_most(
    store: Store, tmp_path: Path, e7: list[Json], column: str, depth: int
) -> None:
    rows = [
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in of.items()}
        for of in e7[:3]
    ]
    rows[1][column] = "[" * depth + "]" * depth
    pd.DataFrame(rows).to_csv(tmp_path / "x.csv", index=False)
    report = ingest(store, [tmp_path / "x.csv"])
    assert report.rejects
    assert {reject["position"] for reject in report.rejects} == {1}
    assert report.challenges_new == 3 - report.records_rejected


@pytest.mark.parametrize("apart", [1, 1500])
def test_a_step_that_comes_twice_with_other_values_is_told_once(
    store: Store, tmp_path: Path, apart: int
) -> None:
    first = [f"{step},0.5,0.25" for step in range(apart)]
    again = ["0,0.5,0.125", "0,0.75,0.25", *(f"{step},0.5," for step in range(1, apart))]
    path = tmp_path / "ab12cd34.csv"
    header = "_step,miner_mcc/uid_4,miner_mcc/uid_5"
    path.write_text("\n".join([header, *first, *again]))
    report = ingest(store, [path])
    (reject,) = report.rejects
    assert (reject["file"], reject["position"]) == ("ab12cd34.csv", 0)
    assert "found 1 steps of run ab12cd34, from step 0, with other values" in reject["reason"]
    assert "or a row before them; expected one history a run" in reject["reason"]
    mcc = "SELECT uid, value FROM miner_mcc WHERE step = 0 ORDER BY uid"
    assert query(store, mcc).rows == [(4, 0.5), (5, 0.25)]
    assert query(store, "SELECT count(*) FROM miner_mcc").rows == [(2 * apart,)]
    assert not ingest(store, [path]).changed


def test_a_part_of_a_run_in_a_table_of_its_own_is_a_segment(store: Store, tmp_path: Path) -> None:
    for place, value in (("a", 0.5), ("b", 0.25)):
        (tmp_path / place).mkdir()
        rows = "".join(f"{step},{value}\n" for step in range(5))
        (tmp_path / place / "ab12cd34.csv").write_text("_step,miner_mcc/uid_4\n" + rows)
    report = ingest(store, [tmp_path])
    assert report.rejects == []
    assert query(
        store, "SELECT segment, value, count(*) FROM miner_mcc GROUP BY ALL ORDER BY ALL"
    ).rows in ([(0, 0.5, 5), (1, 0.25, 5)], [(0, 0.25, 5), (1, 0.5, 5)])
