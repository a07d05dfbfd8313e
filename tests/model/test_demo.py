from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from analytics.ingest import ingest
from analytics.overlap import challenge_overlap, read_training_rows
from analytics.query import query
from analytics.warehouse import reading
from data.errors import StoreError
from data.store import Store
from model.checkpoint import load_checkpoint
from model.demo import MODEL, DemoReport, DemoSettings, check_free, run_demo
from model.demo_training import DemoTraining
from model.fusion import GatedFusion
from model.metadata_encoder import MetadataEncoder
from replay.predictor import TRAINING_ROWS
from tests.conftest import ROOT

SMALL = DemoSettings(
    scenes=12,
    challenges=60,
    uids=30,
    validators=2,
    variants=3,
    training=DemoTraining(scenes=24, epochs=1, side=32, validation=0.3),
)


def silence(_line: str) -> None:
    pass


@dataclass(frozen=True)
class Demo:
    store: Store
    report: DemoReport


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    store = Store(tmp_path_factory.mktemp("demo"))
    return Demo(store, run_demo(store, silence, SMALL))


def test_the_demo_does_the_whole_job(demo: Demo) -> None:
    found, against = demo.report.model, demo.report.against
    assert found.candidate.n > 5
    assert found.left_out.keys() == {"synthetic source"}
    assert found.exact > 5
    assert found.distributions > 5
    assert found.candidate.n + sum(found.left_out.values()) == SMALL.challenges
    assert len(found.miners) >= 10
    assert found.overlap_checked
    assert against.n == found.candidate.n
    assert (against.run.model, against.other.model) == (
        "demo on test_resnet",
        "safety-orange baseline",
    )
    check_free(demo.store)
    assert query(demo.store, "SELECT count(*) FROM rejects").rows == [(0,)]


def test_the_model_is_whole_and_learned_from_rows_that_no_challenge_uses(demo: Demo) -> None:
    folder = demo.store.models / MODEL
    kept = load_checkpoint(folder)
    assert kept.backbone  # it was trained too
    assert {type(part) for part in kept.model.children()} >= {GatedFusion, MetadataEncoder}
    rows = read_training_rows(folder / TRAINING_ROWS)
    assert rows.height == 2 * SMALL.training.scenes
    with reading(demo.store) as connection:
        assert not challenge_overlap(connection, rows)["overlaps"].any()
        gates = connection.execute(
            "SELECT count(DISTINCT view), min(gate), max(gate) FROM replay_gates"
        ).fetchall()
    [(views, low, high)] = gates
    assert views == 12
    assert 0 <= low < high <= 1


def test_it_is_the_same_every_time_and_another_one_in_its_store_starts_over(
    demo: Demo, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    other = run_demo(store, silence, replace(SMALL, challenges=50))
    assert other.model.candidate.n < demo.report.model.candidate.n
    assert query(store, "SELECT count(*) FROM media").rows == [(50,)]
    again = run_demo(store, silence, SMALL)
    assert (again.model, again.against) == (demo.report.model, demo.report.against)
    shards = [sorted(one.sources.iterdir()) for one in (store, demo.store)]
    assert [path.read_bytes() for path in shards[0]] == [path.read_bytes() for path in shards[1]]


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
