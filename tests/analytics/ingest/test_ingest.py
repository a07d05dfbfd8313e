"""Ingest: forms of one log give equal challenges, once; runs, series and names are merged."""

import gzip
import os
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from analytics.warehouse.rows import media_row, response_rows, run_row
from data.records.fields import SERIES
from data.records.media_record import read_challenge
from data.records.types import Origin, Run
from data.store import Store
from tests.conftest import golden_records
from tests.worlds.audit_logs import write_lines

Json = dict[str, Any]


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return query(store, sql).rows


def test_the_real_record_as_the_issue_states_it(store: Store, golden: Path) -> None:
    report = ingest(store, [golden / "real" / "media_record.json"])
    assert (report.challenges_new, report.rejects) == (1, [])
    assert rows(store, "SELECT era, len(scores), gps_lat, gps_lon, weather FROM media") == [
        ("E7", 256, 39.77160604, -86.18823935, ["Sunny"])
    ]
    assert rows(store, "SELECT count(*) FROM responses") == [(10,)]


def test_a_wandb_run_equals_the_same_challenges_from_json_lines(
    tmp_path: Path, golden: Path, e7: list[Json]
) -> None:
    from_run, from_lines = Store(tmp_path / "run"), Store(tmp_path / "lines")
    ingest(from_run, [golden / "e7" / "wandb"])
    ingest(from_lines, [write_lines(tmp_path / "challenges.jsonl", e7[:40])])
    # the time is evidence too
    place = "EXCLUDE (run_id, segment, step, file, position, time, era_evidence)"
    for relation, columns in (("media", f"* {place}"), ("responses", "*")):
        sql = f"SELECT {columns} FROM {relation} ORDER BY ALL"  # noqa: S608
        assert rows(from_run, sql) == rows(from_lines, sql), relation
    for series in SERIES:
        sql = f"SELECT challenge_id, uid, hotkey, value FROM miner_{series} ORDER BY ALL"  # noqa: S608
        found = rows(from_run, sql)
        assert len(found) == 400, series
        assert found == rows(from_lines, sql), series
    assert rows(from_run, "SELECT count(DISTINCT (run_id, step)) FROM miner_mcc") == [(40,)]
    assert rows(from_run, "SELECT min(position = step), count(time) FROM media") == [(True, 40)]
    assert rows(from_run, "SELECT DISTINCT segment FROM media") == [(0,)]
    assert rows(from_run, "SELECT DISTINCT segment FROM miner_mcc") == [(0,)]
    assert rows(from_lines, "SELECT DISTINCT segment FROM media") == [(None,)]
    who = "SELECT segment, name, validator_uid, hotkey, version, first_step, last_step FROM runs"
    assert rows(from_run, who) == [(0, "validator-4-2.0.4", 4, "5FvalidatorHotkey", "2.0.4", 0, 39)]


@pytest.mark.parametrize("run_first", [True, False])
def test_equal_content_is_one_challenge_whichever_form_came_first(
    store: Store, golden: Path, run_first: bool
) -> None:
    forms = [golden / "e7" / "wandb", golden / "e7" / "challenges.jsonl"]
    for path in forms if run_first else reversed(forms):
        ingest(store, [path])
    counted = "SELECT count(*), count(run_id), count(step), count(time) FROM media"
    assert rows(store, counted) == [(400, 40, 40, 40)]
    assert rows(store, "SELECT count(*) FROM responses") == [(4000,)]
    assert rows(store, "SELECT count(*), count(run_id), sum(logged::INT) FROM miner_series") == [
        (4000, 400, 400)
    ]


def test_the_same_thing_read_twice_changes_nothing(
    store: Store, golden: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [golden / "e7" / "wandb", golden / "e9" / "challenges.jsonl"]
    assert ingest(store, paths).changed
    before = store.warehouse.read_bytes()
    monkeypatch.setattr("analytics.ingest.known_logs.reader_digest", lambda: "another version")
    second = ingest(store, paths)
    assert (second.challenges_read, second.challenges_new, second.changed) == (100, 0, False)
    assert store.warehouse.read_bytes() == before


def test_a_record_twice_in_one_log_is_one_challenge(store: Store, tmp_path: Path, e7: Any) -> None:
    ingest(store, [write_lines(tmp_path / "log.jsonl", [e7[0], e7[1], e7[0]])])
    assert rows(store, "SELECT position FROM media ORDER BY 1") == [(0,), (1,)]
    assert rows(store, "SELECT count(*) FROM responses") == [(20,)]


def test_equal_base_names_get_as_much_of_the_folder_as_tells_them_apart(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    ingest(store, [write_lines(tmp_path / "a" / "logs" / "x.jsonl", e7[:2])])
    assert rows(store, "SELECT DISTINCT file FROM media") == [("x.jsonl",)]
    ingest(store, [write_lines(tmp_path / "b" / "logs" / "x.jsonl", [*e7[2:4], {}])])
    assert rows(store, "SELECT DISTINCT file FROM media ORDER BY 1") == [
        ("a/logs/x.jsonl",),
        ("b/logs/x.jsonl",),
    ]
    assert rows(store, "SELECT file, position FROM rejects") == [("b/logs/x.jsonl", 2)]
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    ingest(store, [tmp_path / "c"])
    assert len(rows(store, "SELECT DISTINCT file FROM media")) == 2


def test_a_run_read_while_live_gets_its_times_and_eras_when_it_is_read_again(
    store: Store, golden: Path, tmp_path: Path
) -> None:
    (run,) = (golden / "e7" / "wandb").iterdir()
    live = tmp_path / run.name
    shutil.copytree(run, live, copy_function=shutil.copyfile)
    log = live / "run-aw9setnr.wandb"
    log.chmod(0o644)
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    ingest(store, [live])
    assert 0 < rows(store, "SELECT count(*) FROM media WHERE time IS NULL")[0][0] < 40
    log.write_bytes(whole)
    report = ingest(store, [live])
    assert report.changed
    assert rows(store, "SELECT count(*), count(time) FROM media") == [(40, 40)]
    assert rows(store, "SELECT count(*), sum(logged::INT) FROM miner_series") == [(400, 400)]
    assert rows(store, "SELECT count(*) FROM rejects") == [(0,)]


def test_a_null_among_metrics_is_a_row_without_a_value(
    store: Store, tmp_path: Path, record: Json
) -> None:
    record["miner_image_auc"][3] = None
    del record["miner_image_f1_score"]
    ingest(store, [write_lines(tmp_path / "x.jsonl", [record])])
    assert rows(store, "SELECT count(*), count(value) FROM miner_auc") == [(10, 9)]
    assert rows(store, "SELECT count(*) FROM miner_f1_score") == [(0,)]


def test_what_stands_beside_a_run_in_its_folder_is_read_too(
    store: Store, golden: Path, tmp_path: Path, e7: list[Json]
) -> None:
    (run,) = (golden / "e7" / "wandb").iterdir()
    shutil.copytree(run, tmp_path / "logs", copy_function=shutil.copyfile)
    write_lines(tmp_path / "logs" / "sub" / "more.jsonl", e7[40:43])
    (tmp_path / "logs" / "loop").symlink_to(tmp_path / "logs")
    (tmp_path / "logs" / "loop2").symlink_to(tmp_path / "logs")
    (tmp_path / "logs" / "nowhere.json").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "logs" / "pipe.json")
    assert ingest(store, [tmp_path / "logs"]).challenges_new == 43


def test_a_copy_of_a_run_folder_is_the_same_run(store: Store, golden: Path, tmp_path: Path) -> None:
    (run,) = (golden / "e7" / "wandb").iterdir()
    for copy in ("a", "b"):
        shutil.copytree(run, tmp_path / copy, copy_function=shutil.copyfile)
    ingest(store, [tmp_path])
    assert rows(store, "SELECT count(*) FROM runs") == [(1,)]
    assert rows(store, "SELECT count(*) FROM miner_series") == [(400,)]
    assert not ingest(store, [tmp_path]).changed


def test_a_growing_log_keeps_its_name_and_gains_its_new_records(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    log = tmp_path / "x.jsonl"
    for count in (3, 5):
        ingest(store, [write_lines(log, e7[:count])])
    found = rows(store, "SELECT file, position FROM media ORDER BY 2")
    assert found == [("x.jsonl", k) for k in range(5)]


def test_a_gzipped_log_is_the_same_log(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    plain = write_lines(tmp_path / "x.jsonl", e7[:5])
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    ingest(store, [plain])
    assert ingest(store, [tmp_path / "x.jsonl.gz"]).challenges_new == 0


def test_a_uid_asked_twice_has_two_responses_and_its_last_answer_in_the_series(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    e9 = golden_records(golden, "e9")
    twice = next(r for r in e9 if len(set(r["miner_uids"])) < len(r["miner_uids"]))
    ingest(store, [write_lines(tmp_path / "x.jsonl", [twice])])
    uid = max(twice["miner_uids"], key=twice["miner_uids"].count)
    slots = [slot for slot, asked in enumerate(twice["miner_uids"]) if asked == uid]
    found = rows(store, f"SELECT slot, prediction FROM responses WHERE uid = {uid} ORDER BY 1")  # noqa: S608
    assert found == [(slot, twice["predictions"][slot]) for slot in slots]
    last = rows(store, f"SELECT value FROM miner_predictions WHERE uid = {uid}")  # noqa: S608
    assert last == [(twice["predictions"][slots[-1]],)]


def test_series_without_media_are_kept_until_the_media_come(
    store: Store, golden: Path, tmp_path: Path
) -> None:
    (run,) = (golden / "e7" / "wandb").iterdir()
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(run / "run-aw9setnr.wandb", bare)
    report = ingest(store, [bare])
    assert (report.challenges_new, report.series_steps_new) == (0, 40)
    assert len(report.rejects) == 40
    assert rows(store, "SELECT count(*), count(hotkey) FROM miner_mcc") == [(400, 0)]
    ingest(store, [run])
    assert rows(store, "SELECT count(*), count(hotkey) FROM miner_mcc") == [(400, 400)]


def test_every_column_of_media_and_responses_is_filled_by_a_field(
    store: Store, record: Json, tmp_path: Path
) -> None:
    ingest(store, [write_lines(tmp_path / "x.jsonl", [record])])
    logged = read_challenge(record, Origin("x", 0))
    with reading(store) as connection:
        columns = {
            relation: set(connection.table(relation).columns)
            for relation in ("media", "responses", "runs")
        }
    assert columns["media"] == set(media_row(logged))
    assert columns["responses"] == set(next(iter(response_rows(logged.challenge))))
    run = Run("r", "f", None, None, "{}", None, False, None, 0)
    numbered = {"segment", "first_step", "last_step"}
    assert columns["runs"] == set(run_row(run)) == {field.name for field in fields(Run)} | numbered
