import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, matthews_corrcoef

from analytics.bootstrap import BootstrapSettings, ImageBootstrap
from analytics.ingest import ingest
from analytics.metrics import answer_tables, mcc_of_tables
from analytics.rows import append
from analytics.warehouse import reading, statements, writing
from data.errors import RunError
from data.store import Store
from replay.compare import Comparison, compare
from tests.conftest import golden_records

Json = dict[str, Any]


def publish(store: Store, probabilities: dict[str, float | None], run_id: str = "replay-a") -> None:
    """Put a finished replay into the warehouse, as the runner does."""
    with writing(store) as writer:
        run = {"run_id": run_id, "model": "m", "uses_metadata": False, "settings": "{}"}
        counted = {"selected": len(probabilities), "predicted": 0, "finished": None}
        row = run | counted | {"finished": np.datetime64("2026-01-01", "us").item()}
        append(writer.connection, "replay_runs", [row])
        append(
            writer.connection,
            "replay_predictions",
            [
                {
                    "run_id": run_id,
                    "challenge_id": challenge_id,
                    "probability": probability,
                    "spread": None,
                    "positive_share": None if probability is None else float(probability > 0.5),
                    "images": int(probability is not None),
                    "noisy": 0,
                    "fidelity": "exact" if probability is not None else "impossible",
                    "reason": None if probability is not None else "shard missing",
                }
                for challenge_id, probability in probabilities.items()
            ],
        )


def ids_by_position(store: Store) -> dict[int, str]:
    with reading(store) as connection:
        found = connection.execute("SELECT position, challenge_id FROM media").fetchall()
    return dict(found)


def compared(store: Store, run: str = "latest") -> Comparison:
    with reading(store) as connection:
        return compare(connection, run, BootstrapSettings(draws=50))


# scikit-learn warns of sets with one class, where MCC is 0
@pytest.mark.filterwarnings("ignore:A single label was found")
def test_each_miner_and_the_candidate_on_exactly_their_shared_challenges(
    store: Store, golden: Path
) -> None:
    records = golden_records(golden, "e9")
    ingest(store, [golden / "e9" / "challenges.jsonl"])
    ids = ids_by_position(store)
    rng = np.random.default_rng(0)
    # candidate: every third challenge without a prediction, some at exactly 0.5, some not replayed
    guesses = {k: float(rng.choice([0.5, rng.random()])) for k in range(50)}
    publish(store, {ids[k]: None if k % 3 == 0 else p for k, p in guesses.items()})
    result = compared(store)

    answers: dict[tuple[int, str], list[tuple[int, float]]] = {}
    for k, record in enumerate(records):
        for slot, uid in enumerate(record["miner_uids"]):
            given = answers.setdefault((uid, record["miner_hotkeys"][slot]), [])
            given.append((k, record["predictions"][slot]))
    found = {(m.uid, m.hotkey): m for m in result.miners}
    checked = 0
    for miner, given_answers in answers.items():
        shared = [(k, p) for k, p in given_answers if k % 3 and k < 50 and p != -1]
        if not shared:
            assert miner not in found
            continue
        checked += 1
        labels = [records[k]["label"] for k, _ in shared]
        ours = np.round([guesses[k] for k, _ in shared])
        theirs = np.round([p for _, p in shared])
        one = found[miner]
        assert one.n == one.candidate.n == len(shared)
        assert one.accuracy == pytest.approx(accuracy_score(labels, theirs.astype(int)))
        assert one.candidate.accuracy == pytest.approx(accuracy_score(labels, ours.astype(int)))
        for score, classes in ((one.mcc, theirs), (one.candidate.mcc, ours)):
            assert score == pytest.approx(matthews_corrcoef(labels, classes.astype(int)))
        assert one.floored_mcc == max(0.0, one.mcc)
        assert one.mcc_difference == pytest.approx(one.candidate.mcc - one.mcc)
        assert sum(one.left_out.values()) == len(given_answers) - len(shared)
    assert checked > 40
    assert result.without_shared == len(answers) - checked
    assert result.candidate.n == sum(k % 3 != 0 for k in range(50))
    assert result.left_out == {"shard missing": 17}
    assert [m.mcc for m in result.miners] == sorted((m.mcc for m in result.miners), reverse=True)


def test_a_changed_hotkey_is_another_miner_and_reasons_are_counted(
    store: Store, record: Json, tmp_path: Path
) -> None:
    records = [json.loads(json.dumps(record)) | {"path": str(k)} for k in range(4)]
    records[1]["miner_hotkeys"][0] = "another"
    records[2]["predictions"][0] = -1
    records[3]["predictions"][0] = None
    log = tmp_path / "x.jsonl"
    log.write_text("\n".join(json.dumps(r) for r in records), encoding="utf-8")
    ingest(store, [log])
    publish(store, dict.fromkeys(ids_by_position(store).values(), 1.0))
    uid = record["miner_uids"][0]
    found = {m.hotkey: m for m in compared(store).miners if m.uid == uid}
    assert set(found) == {record["miner_hotkeys"][0], "another"}
    assert found[record["miner_hotkeys"][0]].left_out == {
        "miner: no answer": 1,
        "miner: answer not finite": 1,
    }
    # too few source images for an interval worth printing
    assert all(m.interval is None for m in found.values())


def test_a_run_that_is_not_there_is_one_clear_line(store: Store, golden: Path) -> None:
    ingest(store, [golden / "real" / "media_record.json"])
    with pytest.raises(RunError, match=r"found 0 finished replays.*replay --model orange"):
        compared(store)
    publish(store, {})
    with pytest.raises(RunError, match="found 1 finished replays"):
        compared(store, "replay-b")
    empty = compared(store)
    assert (empty.candidate.n, empty.miners, empty.without_shared) == (0, [], 10)


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=30, deadline=None)
@drawn(st.integers(0, 2**32 - 1), st.integers(12, 60))
def test_the_interval_follows_a_plain_bootstrap_with_scikit_learn(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    candidate, miner = rng.random(n), np.where(rng.random(n) < 0.1, 1.7, rng.random(n))
    images = rng.integers(0, 12, n)
    images[:12] = np.arange(12)
    drawing = BootstrapSettings(draws=20, seed=seed)
    classes = np.round(miner)
    found = ImageBootstrap(images.astype(str), drawing).mcc_difference(
        answer_tables(labels, np.round(candidate)),
        answer_tables(labels, (classes == 1).astype(float), (classes > 1).astype(float)),
        images.astype(str),
    )
    assert found is not None
    unique = np.unique(images.astype(str))
    draws = np.random.default_rng(seed).multinomial(12, np.full(12, 1 / 12), size=20)
    differences = []
    for draw in draws:
        weight = draw[np.searchsorted(unique, images.astype(str))]
        rows = np.repeat(np.arange(n), weight)
        ours, theirs = (np.round(p[rows]).astype(int) for p in (candidate, miner))
        differences.append(
            matthews_corrcoef(labels[rows], ours) - matthews_corrcoef(labels[rows], theirs)
        )
    assert found == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))


def test_identical_answers_have_an_interval_of_nothing() -> None:
    rng = np.random.default_rng(1)
    answers = answer_tables(rng.integers(0, 2, 40), rng.random(40))
    images = np.arange(40).astype(str)
    assert ImageBootstrap(images).mcc_difference(answers, answers, images) == (0.0, 0.0)


def test_repeats_of_one_image_are_drawn_together() -> None:
    # ten images, each asked about once or fifty times with the same answers: no more is known
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 30)
    ours, theirs = rng.random(30).round(), rng.random(30).round()
    images = np.arange(30).astype(str)
    bootstrap = ImageBootstrap(images)
    once = bootstrap.mcc_difference(
        answer_tables(labels, ours), answer_tables(labels, theirs), images
    )
    many = bootstrap.mcc_difference(
        answer_tables(labels.repeat(50), ours.repeat(50)),
        answer_tables(labels.repeat(50), theirs.repeat(50)),
        images.repeat(50),
    )
    assert many == pytest.approx(once)


def test_source_images_are_shard_and_row(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e9" / "challenges.jsonl"])
    publish(store, dict.fromkeys(ids_by_position(store).values(), 1.0))
    with reading(store) as connection:
        sql = statements("shared_answers")
        answers = connection.sql(sql, params={"run_id": "replay-a"}).pl()
        rows = connection.execute("SELECT count(DISTINCT (parquet, row)) FROM media").fetchall()
    assert answers["source_image"].n_unique() == rows[0][0] < 60


@pytest.mark.filterwarnings("ignore:A single label was found")
@drawn(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_mcc_of_tables_is_scikit_learns(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    labels, classes = rng.integers(0, 2, n), rng.integers(0, 3, n)
    tables = answer_tables(labels, (classes == 1).astype(float), (classes == 2).astype(float))
    expected = matthews_corrcoef(labels, classes)
    assert float(mcc_of_tables(tables.sum(axis=0))) == pytest.approx(expected, abs=1e-12)
