"""Evidence of two replays, held against `compare` and against the records themselves."""

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from data.errors import RunError
from data.store import Store
from model.promotion_gate.judge import judge
from model.promotion_gate.logged_evidence import logged_evidence
from model.promotion_gate.power import assumed_challenger
from model.promotion_gate.settings import GateSettings
from replay.candidates.predictor import TRAINING_ROWS
from replay.comparing.loaded_answers import TRAINED_ON
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.conftest import golden_records
from tests.worlds.replays import ids_by_position, publish_replay

GATE = GateSettings(draws=100, least_images=10)
OLD, NEW = "replay-a", "replay-b"


def keep_rows(store: Store, run_id: str, rows: list[tuple[str, int]]) -> None:
    folder = store.runs / run_id
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, ["parquet", "row"], orient="row").write_parquet(folder / TRAINING_ROWS)


@pytest.fixture
def filled(store: Store, golden: Path) -> Store:
    """Golden E7, with a champion that guesses and a challenger that knows, of 4 images a row."""
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids = ids_by_position(store)
    labels = [record["label"] for record in golden_records(golden, "e7")]
    rng = np.random.default_rng(3)
    publish_replay(store, {ids[k]: rng.random(4).tolist() for k in ids}, OLD)
    publish_replay(store, {ids[k]: [0.1 + 0.8 * labels[k]] * 4 for k in ids}, NEW)
    for run in (OLD, NEW):
        keep_rows(store, run, [("other.parquet", 0)])
    return store


def test_rewards_are_those_of_compare_averaged_over_miners(filled: Store) -> None:
    evidence = logged_evidence(filled, OLD, NEW)
    assert evidence is not None
    verdict = judge(evidence, GATE)
    for run, found in ((OLD, verdict.champion), (NEW, verdict.challenger)):
        with reading(filled) as connection:
            miners = compare_with_miners(connection, run, CompareSettings(GATE.bootstrap)).miners
        weights = [miner.candidate.asked for miner in miners]
        rewards = [miner.candidate.reward for miner in miners]
        assert found == pytest.approx(np.average(rewards, weights=weights))
        assert verdict.answers == sum(weights)
    assert verdict.promoted
    assert (evidence.champion_id, evidence.challenger_id) == (OLD, NEW)
    assert evidence.training_unknown == []
    assert evidence.left_out == {}


def test_guarded_slices_are_those_of_the_records(filled: Store, golden: Path) -> None:
    evidence = logged_evidence(filled, OLD, NEW)
    assert evidence is not None
    records = golden_records(golden, "e7")
    sizes = {(part.field, part.value): int(part.members.sum()) for part in evidence.slices}
    levels = Counter(f"level {record['data_aug_level']}" for record in records)
    labels = Counter("roadwork" if record["label"] else "none" for record in records)
    cities = Counter(record["metadata"].get("city_name") for record in records)
    assert {value: n for (field, value), n in sizes.items() if field == "level"} == {
        value: n for value, n in levels.items() if n >= 10
    }
    assert {value: n for (field, value), n in sizes.items() if field == "label"} == labels
    assert sizes["era", "E7"] == len(records)
    named = {value: n for value, n in cities.items() if value and n >= 10}
    assert named
    assert (
        named.items()
        <= {value: n for (field, value), n in sizes.items() if field == "city"}.items()
    )
    patterns = sum(n for (field, _), n in sizes.items() if field == "NULL pattern")
    assert 0 < patterns <= len(records)
    # each slice's flags are of the very challenges
    with reading(filled) as connection:
        label_of = dict(connection.execute("SELECT challenge_id, label FROM media").fetchall())
    assert Counter(evidence.champion.labels.tolist()) == Counter(label_of.values())
    (roadwork,) = [part for part in evidence.slices if part.value == "roadwork"]
    assert np.array_equal(roadwork.members, evidence.champion.labels == 1)


def test_only_what_both_predicted_and_neither_was_trained_on_counts(
    store: Store, golden: Path
) -> None:
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids = ids_by_position(store)
    records = golden_records(golden, "e7")
    count = len(records)
    publish_replay(store, {ids[k]: 0.9 for k in ids if k >= 20}, OLD)
    publish_replay(
        store, {ids[k]: 0.9 for k in ids if k < count - 30} | {ids[count - 1]: None}, NEW
    )
    shown = records[count // 2]["metadata"]
    row = (Path(shown["source_parquet"]).name, int(shown["original_index"]))
    keep_rows(store, OLD, [row])
    evidence = logged_evidence(store, OLD, NEW)
    assert evidence is not None
    # nobody said what the challenger was trained on
    assert evidence.training_unknown == ["challenger"]
    assert not judge(evidence, GATE).promoted
    left_out = dict(evidence.left_out)
    trained = left_out.pop(TRAINED_ON)
    assert trained >= 1
    assert left_out.pop("shard missing") == 1
    assert set(left_out) == {"predicted by the champion only", "predicted by the challenger only"}
    assert evidence.champion.count + sum(left_out.values()) <= count
    assert evidence.champion.count < count - 50
    assert evidence.places is not None
    # places are numbered among what is left: every miner in each of these challenges
    asked = np.bincount(evidence.places.challenge, minlength=evidence.champion.count)
    assert len(asked) == evidence.champion.count
    assert asked.max() <= 10
    both = logged_evidence(store, NEW, OLD)
    assert both is not None
    assert both.gate_set == evidence.gate_set


def test_the_gate_set_is_that_of_the_challenges(filled: Store, golden: Path) -> None:
    whole = logged_evidence(filled, OLD, NEW)
    ids = ids_by_position(filled)
    publish_replay(filled, {ids[k]: 0.9 for k in ids if k != 3}, "replay-c")
    less = logged_evidence(filled, OLD, "replay-c")
    assert whole is not None
    assert less is not None
    assert less.gate_set.sha256 != whole.gate_set.sha256
    assert less.gate_set.images <= whole.gate_set.images
    sources = {
        (record["metadata"].get("source_parquet"), record["metadata"].get("original_index"))
        for record in golden_records(golden, "e7")
    }
    assert len(whole.gate_set.images) == len(sources)


def test_where_nothing_is_left_there_is_no_evidence(filled: Store, store: Store) -> None:
    ids = ids_by_position(filled)
    publish_replay(filled, {ids[0]: 0.9}, "replay-c")
    publish_replay(filled, {ids[1]: 0.9}, "replay-d")
    assert logged_evidence(filled, "replay-c", "replay-d") is None
    with pytest.raises(RunError, match="none of that name"):
        logged_evidence(filled, OLD, "replay-z")


def test_a_replay_that_saw_metadata_is_no_evidence(filled: Store) -> None:
    ids = ids_by_position(filled)
    publish_replay(filled, {ids[0]: 0.9}, "replay-m", uses_metadata=True)
    with pytest.raises(RunError, match="one with metadata"):
        logged_evidence(filled, OLD, "replay-m")


def test_the_champion_alone_makes_a_pilot(filled: Store) -> None:
    pilot = logged_evidence(filled, OLD, OLD)
    assert pilot is not None
    assumed = assumed_challenger(pilot, 0.2)
    changed = assumed.challenger.probabilities != assumed.champion.probabilities
    assert 0.1 < changed.mean() < 0.3
