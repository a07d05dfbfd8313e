"""A challenge stays of its run, though another run holds a copy of it."""

import json
import shutil
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.store import Store
from tests.conftest import golden_records
from tests.data.validators.hotkeys import Hotkey
from tests.worlds.wandb_runs import write_media_files

Json = dict[str, Any]

OF_RUNS = "SELECT run_id, count(*), count(time) FROM media GROUP BY ALL ORDER BY ALL"
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")[:10]


@pytest.fixture
def own(tmp_path: Path, e7: list[Json]) -> Path:
    """A run without times."""
    write_media_files(tmp_path / "aaaa1111" / "media" / "html", e7)
    return tmp_path / "aaaa1111"


@pytest.fixture
def copied(tmp_path: Path, own: Path, e7: list[Json]) -> Path:
    """Its media in a run of another's, with times and a false signature."""
    shutil.copytree(own, tmp_path / "bbbb2222")
    write_times(tmp_path / "bbbb2222", len(e7))
    config = Hotkey("validator").config("bbbb2222") | {"signature": "00"}
    settings = {key: {"value": value} for key, value in config.items()}
    (tmp_path / "bbbb2222" / "config.yaml").write_text(json.dumps(settings))
    return tmp_path / "bbbb2222"


def write_times(folder: Path, steps: int) -> None:
    rows = [{"_step": step, "_timestamp": STARTED.timestamp() + step} for step in range(steps)]
    (folder / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_copy_in_another_run_takes_no_challenge_over(
    store: Store, own: Path, copied: Path
) -> None:
    ingest(store, [own])
    report = ingest(store, [copied])
    assert (report.challenges_named, report.challenges_new) == (0, 0)
    assert query(store, OF_RUNS).rows == [("aaaa1111", 10, 0)]


@pytest.mark.parametrize("own_first", [True, False])
def test_nor_in_one_ingest_by_its_times(
    store: Store, own: Path, copied: Path, own_first: bool
) -> None:
    ingest(store, [own, copied] if own_first else [copied, own])
    assert query(store, OF_RUNS).rows == [("aaaa1111", 10, 0)]


@pytest.mark.parametrize("own_first", [True, False])
def test_a_run_in_a_false_name_gives_way_to_the_true_one(
    store: Store, own: Path, copied: Path, own_first: bool
) -> None:
    (copied / "history.jsonl").unlink()
    for path in (own, copied) if own_first else (copied, own):
        ingest(store, [path])
    assert query(store, OF_RUNS).rows == [("aaaa1111", 10, 0)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_time_comes_from_the_same_run(
    store: Store, tmp_path: Path, own: Path, copied: Path, e7: list[Json], order: tuple[int, ...]
) -> None:
    timed = tmp_path / "later" / "aaaa1111"
    shutil.copytree(own, timed)
    write_times(timed, len(e7))
    ingest(store, [own])
    paths = [own, copied, timed]
    ingest(store, [paths[place] for place in order])
    assert query(store, OF_RUNS).rows == [("aaaa1111", 10, 10)]
    times = "SELECT run_id, min(time) FROM media GROUP BY ALL"
    assert query(store, times).rows == [("aaaa1111", STARTED.replace(tzinfo=None))]
