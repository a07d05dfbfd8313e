"""Run folders that were downloaded from W&B file by file, without a transaction log."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.audit.audit import AuditReport, AuditSettings, audit
from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from data.store import Store
from tests.conftest import golden_records
from tests.worlds.wandb_runs import write_media, write_run

Json = dict[str, Any]

CONFIG = """
_wandb:
    desc: null
    value: {cli_version: 0.19.1}
hotkey:
    desc: null
    value: 5FvalidatorHotkey
netuid:
    value: 72
uid:
    value: 4
version:
    value: 2.0.4
"""


def download(folder: Path, records: Sequence[Json], first_step: int = 0) -> Path:
    """A folder as `wandb.Api().run(...).files()` fills it."""
    folder.mkdir(parents=True)
    for place, record in enumerate(records):
        write_media(folder / "media" / "html", first_step + place, record)
    summary = {"_step": first_step + len(records) - 1, "label": 1, "_wandb": {"runtime": 7}}
    (folder / "wandb-summary.json").write_text(json.dumps(summary))
    (folder / "wandb-metadata.json").write_text(json.dumps({"program": "validator.py"}))
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "output.log").write_text("step 1\n")
    (folder / "requirements.txt").write_text("torch==2.7.0\n")
    return folder


def audited(store: Store) -> AuditReport:
    with reading(store) as connection:
        return audit(connection, AuditSettings())


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_two_downloaded_runs_from_step_0_stay_apart(
    tmp_path: Path, e7: list[Json], order: tuple[int, ...]
) -> None:
    runs = [download(tmp_path / "b-first", e7[:200]), download(tmp_path / "a-second", e7[200:])]
    store = Store(tmp_path / "store")
    for place in order:
        assert not ingest(store, [runs[place]]).rejects
    counted = "SELECT run_id, segment, count(*), min(step), max(step) FROM media GROUP BY ALL"
    assert query(store, f"{counted} ORDER BY ALL").rows == [
        ("a-second", 0, 200, 0, 199),
        ("b-first", 0, 200, 0, 199),
    ]
    report = audited(store)
    assert not report.mismatches
    assert not ingest(store, [tmp_path]).changed
    who = "SELECT DISTINCT validator_uid, hotkey, version, config::JSON->>'netuid' FROM runs"
    assert query(store, who).rows == [(4, "5FvalidatorHotkey", "2.0.4", "72")]


def test_two_downloaded_runs_of_equal_folder_names_are_two_segments(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    download(tmp_path / "x" / "run", e7[:50])
    download(tmp_path / "y" / "run", e7[50:100])
    report = ingest(store, [tmp_path])
    assert not report.rejects
    counted = "SELECT run_id, segment, count(*) FROM media GROUP BY ALL ORDER BY ALL"
    assert query(store, counted).rows == [("run", 0, 50), ("run", 1, 50)]
    assert not audited(store).mismatches


def test_a_run_downloaded_twice_while_it_grew_is_one(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    download(tmp_path / "monday" / "ab12", e7[:20])
    download(tmp_path / "tuesday" / "ab12", e7[:40])
    ingest(store, [tmp_path])
    counted = "SELECT run_id, segment, count(*) FROM media GROUP BY ALL"
    assert query(store, counted).rows == [("ab12", 0, 40)]


@pytest.mark.parametrize("downloaded_first", [True, False])
def test_the_run_itself_names_what_was_downloaded_of_it(
    tmp_path: Path, store: Store, e7: list[Json], downloaded_first: bool
) -> None:
    folders = [
        download(tmp_path / "validator-4", e7[:30]),
        write_run(tmp_path / "r", "ab12", e7[:30], started=datetime(2026, 1, 1, tzinfo=UTC)),
    ]
    for folder in folders if downloaded_first else reversed(folders):
        assert not ingest(store, [folder]).rejects
    assert query(store, "SELECT run_id, count(*), count(time) FROM media GROUP BY ALL").rows == [
        ("ab12", 30, 30)
    ]
    assert query(store, "SELECT run_id, count(*) FROM miner_series GROUP BY ALL").rows == [
        ("ab12", 300)
    ]


def test_the_id_in_a_folder_name_is_the_run_id(
    store: Store, tmp_path: Path, golden: Path, e7: list[Json]
) -> None:
    (run,) = (golden / "e7" / "wandb").iterdir()
    bare = tmp_path / run.name
    shutil.copytree(run / "files", bare / "files", copy_function=shutil.copyfile)
    report = ingest(store, [bare])
    assert report.challenges_new == 40
    assert query(store, "SELECT DISTINCT run_id FROM media").rows == [("aw9setnr",)]
    assert not ingest(store, [run]).rejects
    assert query(store, "SELECT count(*), count(time), max(segment) FROM media").rows == [
        (40, 40, 0)
    ]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ("a: &x [1]\nb: *x\n", "an alias"),
        ("!!python/object/apply:os.system ['touch pwned']\n", "could not determine a constructor"),
        ("uid: [1\n", "expected"),
        ("- 1\n", "list"),
        ("[" * 100_000, ""),
        ("a: " + "9" * 120_000, ""),
        ("x" * 500_000, "more than"),
        ("uid: \x00", ""),
    ],
)
def test_a_hostile_config_costs_itself_alone(
    store: Store, tmp_path: Path, e7: list[Json], config: str, found: str
) -> None:
    run = download(tmp_path / "run", e7[:2])
    (run / "config.yaml").write_text(config)
    report = ingest(store, [run])
    assert report.challenges_new == 2
    (reject,) = report.rejects
    assert reject["reason"].startswith("config.yaml: found ")
    assert found in reject["reason"]
    assert len(reject["reason"]) < 1000


def test_a_run_folder_without_media_says_what_is_missing(store: Store, tmp_path: Path) -> None:
    report = ingest(store, [download(tmp_path / "run", [])])
    (reject,) = report.rejects
    assert "found no file of a challenge; expected media/html" in reject["reason"]


def test_settings_beside_a_log_are_no_rejects(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    run = download(tmp_path / "run", [])
    (run / "wandb-events.jsonl").write_text('{"system.cpu": 1}\n')
    lines = "".join(json.dumps(record) + "\n" for record in e7[:3])
    (run / "history").mkdir()
    (run / "history" / "challenges.jsonl").write_text(lines)
    report = ingest(store, [run])
    assert (report.challenges_new, report.rejects) == (3, [])


@pytest.mark.parametrize("cut", [100, 130])
def test_a_folder_that_holds_each_step_twice_falls_apart_into_two_segments(
    store: Store, tmp_path: Path, e7: list[Json], cut: int
) -> None:
    run = download(tmp_path / "ab12", e7[:cut])
    for step, record in enumerate(e7[cut:200]):
        write_media(run / "media" / "html", step, record)
    assert not ingest(store, [run]).rejects
    found = {
        tuple(scores): (segment, step)
        for segment, step, scores in query(store, "SELECT segment, step, scores FROM media").rows
    }
    scores = [np.array(record["scores"], np.float32).tolist() for record in e7[:200]]
    places = [found[tuple(one)] for one in scores]
    assert [step for _, step in places] == [*range(cut), *range(200 - cut)]
    first, second = ({segment for segment, _ in part} for part in (places[:cut], places[cut:]))
    assert first | second == {0, 1}
    assert len(first) == len(second) == 1
    assert not audited(store).mismatches
    assert not ingest(store, [run]).changed
    steps = query(store, "SELECT first_step, last_step FROM runs ORDER BY ALL").rows
    assert sorted(steps) == sorted([(0, cut - 1), (0, 199 - cut)])


def test_a_folder_of_nothing_but_one_step_is_read_and_the_rest_told(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    run = download(tmp_path / "ab12", [])
    for record in e7[:30]:
        write_media(run / "media" / "html", 0, record)
    report = ingest(store, [run])
    assert report.challenges_new + report.records_rejected == 30
    assert report.challenges_new == 17
    assert all("other content for step 0" in reject["reason"] for reject in report.rejects)
