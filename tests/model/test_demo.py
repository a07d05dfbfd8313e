from dataclasses import replace
from pathlib import Path

import pytest

from analytics.ingest import ingest
from analytics.query import query
from data.errors import StoreError
from data.store import Store
from model.demo import DemoSettings, check_free, run_demo
from tests.conftest import ROOT

SMALL = DemoSettings(scenes=12, challenges=60, uids=30, validators=2, variants=3)


def silence(_line: str) -> None:
    pass


def test_the_demo_does_the_whole_job_and_is_the_same_every_time(store: Store) -> None:
    first = run_demo(store, silence, SMALL)
    assert first.candidate.n > 5
    assert first.left_out.keys() == {"synthetic source"}
    assert first.exact > 5
    assert first.distributions > 5
    assert first.candidate.n + sum(first.left_out.values()) == SMALL.challenges
    assert len(first.miners) >= 10
    check_free(store)
    shards = {path.name: path.read_bytes() for path in store.sources.iterdir()}
    again = run_demo(store, silence, SMALL)
    assert again == first
    assert {path.name: path.read_bytes() for path in store.sources.iterdir()} == shards
    elsewhere = Store(store.root.parent / "elsewhere")
    assert run_demo(elsewhere, silence, SMALL) == first
    assert query(store, "SELECT count(*) FROM rejects").rows == [(0,)]


def test_another_demo_in_the_same_store_starts_over(store: Store) -> None:
    run_demo(store, silence, SMALL)
    other = replace(SMALL, challenges=50)
    assert run_demo(store, silence, other).candidate.n < 50
    assert query(store, "SELECT count(*) FROM media").rows == [(50,)]


def test_the_demo_refuses_a_store_of_other_data(store: Store) -> None:
    check_free(store)
    ingest(store, [ROOT / "data" / "sample" / "media_record.json"])
    with pytest.raises(StoreError, match=r"media_record.json.*--store"):
        check_free(store)


def test_the_demo_refuses_a_store_of_other_shards(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sources.mkdir()
    (store.sources / "train-00000-of-00026.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match=r"train-00000-of-00026\.parquet"):
        check_free(store)
