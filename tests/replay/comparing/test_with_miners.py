import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef, roc_auc_score
from typer.testing import CliRunner

import streetreplay
from analytics.comparison.bootstrap import BootstrapSettings
from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from data.errors import QueryError, RunError
from data.store import Store
from replay.comparing.results import RANKED, STATISTICS, Comparison
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.conftest import golden_records
from tests.worlds.replays import ids_by_position, publish_replay

Json = dict[str, Any]


def compared(store: Store, run: str = "latest", *, auc: bool = False) -> Comparison:
    settings = CompareSettings(BootstrapSettings(draws=100, auc=auc))
    with reading(store) as connection:
        return compare_with_miners(connection, run, settings)


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
    publish_replay(store, {ids[k]: None if k % 3 == 0 else p for k, p in guesses.items()})
    result = compared(store)

    answers: dict[tuple[int, str], list[tuple[int, float]]] = {}
    for k, record in enumerate(records):
        for slot, uid in enumerate(record["miner_uids"]):
            given = answers.setdefault((uid, record["miner_hotkeys"][slot]), [])
            given.append((k, record["predictions"][slot]))
    found = {(m.uid, m.hotkey): m for m in result.miners}
    checked = 0
    for miner, given_answers in answers.items():
        asked = [(k, p) for k, p in given_answers if k % 3 and k < 50]
        shared = [(k, p) for k, p in asked if p != -1]
        if not asked:
            assert miner not in found
            continue
        one = found[miner]
        assert one.score.asked == one.candidate.asked == len(asked)
        assert one.score.n == one.candidate.n == len(shared)
        assert sum(one.left_out.values()) == len(given_answers) - len(shared)
        if not shared:
            continue
        checked += 1
        labels = [records[k]["label"] for k, _ in shared]
        sides = (
            (one.score, [p for _, p in shared]),
            (one.candidate, [guesses[k] for k, _ in shared]),
        )
        for score, values in sides:
            classes = np.round(values).astype(int)
            assert score.accuracy == pytest.approx(accuracy_score(labels, classes))
            assert score.mcc == pytest.approx(matthews_corrcoef(labels, classes))
            assert score.floored_mcc == max(0.0, score.mcc)
            expected = roc_auc_score(labels, values) if len(set(labels)) == 2 else 0.0
            assert score.auc == pytest.approx(expected)
        for name in STATISTICS:
            value = getattr(one.candidate, name) - getattr(one.score, name)
            assert one.differences[name].value == pytest.approx(value)
    assert checked > 40
    assert result.without_shared == len(answers) - len(result.miners)
    assert result.candidate.n == sum(k % 3 != 0 for k in range(50))
    assert result.left_out == {"shard missing": 17}
    mccs = [m.score.mcc for m in result.miners if m.score.n]
    assert mccs == sorted(mccs, reverse=True)
    assert {name: rank.of + rank.left_out - 1 for name, rank in result.ranks.items()} == (
        dict.fromkeys(RANKED, len(result.miners))
    )


@pytest.mark.parametrize("era", ["e7", "e9", "e5"])
def test_every_miner_gets_its_own_logged_rewards_and_score(
    store: Store, golden: Path, era: str
) -> None:
    # the golden logs begin with the validator, so that windows that start empty are its own
    records = golden_records(golden, era)
    ingest(store, [golden / era / "challenges.jsonl"])
    publish_replay(store, dict.fromkeys(ids_by_position(store).values(), 0.7))
    rewards: dict[tuple[int, str], list[float]] = {}
    scores: dict[tuple[int, str], float] = {}
    for record in records:
        for slot, uid in enumerate(record["miner_uids"]):
            miner = (uid, record["miner_hotkeys"][slot])
            rewards.setdefault(miner, []).append(record["rewards"][slot])
            scores[miner] = record["scores"][uid]
    found = {(m.uid, m.hotkey): m.score for m in compared(store).miners}
    assert set(found) == set(rewards)
    for miner, logged in rewards.items():
        assert found[miner].reward == pytest.approx(np.mean(logged), abs=1e-12)
        assert found[miner].ema == pytest.approx(scores[miner], abs=1e-6)


def test_a_candidate_that_answers_as_a_miner_gets_its_metrics_and_rewards(
    store: Store, golden: Path
) -> None:
    records = golden_records(golden, "e7")
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids = ids_by_position(store)
    # the miner whose answers are all probabilities, and most of them
    answers: dict[tuple[int, str], dict[int, float]] = {}
    for k, record in enumerate(records):
        asked = zip(
            record["miner_uids"], record["miner_hotkeys"], record["predictions"], strict=True
        )
        for uid, hotkey, prediction in asked:
            answers.setdefault((uid, hotkey), {})[k] = prediction
    fine = {m: a for m, a in answers.items() if all(0 <= p <= 1 for p in a.values())}
    miner = max(fine, key=lambda m: len(fine[m]))
    publish_replay(store, {ids[k]: p for k, p in fine[miner].items()})
    result = compared(store, auc=True)
    (one,) = (m for m in result.miners if (m.uid, m.hotkey) == miner)
    last = max(fine[miner])
    slot = records[last]["miner_uids"].index(miner[0])
    assert one.score == one.candidate == result.candidate
    assert len(fine[miner]) <= 100
    for name in ("accuracy", "auc"):
        logged = records[last][f"miner_image_{name}"][slot]
        assert getattr(one.candidate, name) == pytest.approx(logged, abs=1e-12)
    logged = records[last]["miner_image_mcc"][slot]
    assert one.candidate.floored_mcc == pytest.approx(logged, abs=1e-12)
    assert one.candidate.ema == pytest.approx(records[last]["scores"][miner[0]], abs=1e-6)
    assert one.mcnemar is not None
    assert one.mcnemar.p == 1.0
    for difference in one.differences.values():
        assert difference.value == 0.0
        assert difference.interval == pytest.approx((0.0, 0.0), abs=1e-12)


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
    publish_replay(store, dict.fromkeys(ids_by_position(store).values(), 1.0))
    uid = record["miner_uids"][0]
    found = {m.hotkey: m for m in compared(store).miners if m.uid == uid}
    own = found[record["miner_hotkeys"][0]]
    assert set(found) == {record["miner_hotkeys"][0], "another"}
    assert own.left_out == {"miner: no answer": 1, "miner: answer not finite": 1}
    assert (own.score.n, own.score.asked) == (1, 3)
    # it came back: its second history holds what was not finite, so that nothing was earned there
    assert own.score.reward == pytest.approx(0.125 / 3)
    assert own.score.ema == 0.0
    # too few source images for an interval worth printing, and one label only
    assert all(m.differences["mcc"].interval is None for m in found.values())
    assert own.notes == [
        "1 source images answered, 10 needed for an interval",
        "all 1 labels are 1, 0 are 0: MCC and AUC are 0 by definition",
    ]


def test_who_never_answered_is_compared_by_reward_alone(
    store: Store, golden: Path, tmp_path: Path
) -> None:
    records = golden_records(golden, "e9")
    uid = records[0]["miner_uids"][0]
    for record in records:
        record["predictions"] = [
            -1 if one == uid else p
            for one, p in zip(record["miner_uids"], record["predictions"], strict=True)
        ]
    log = tmp_path / "x.jsonl"
    log.write_text("\n".join(json.dumps(r) for r in records), encoding="utf-8")
    ingest(store, [log])
    publish_replay(store, dict.fromkeys(ids_by_position(store).values(), 0.9))
    result = compared(store)
    silent = [m for m in result.miners if m.uid == uid]
    assert silent == result.miners[-len(silent) :]
    for one in silent:
        assert np.isnan([one.score.mcc, one.score.accuracy, one.score.auc]).all()
        assert (one.score.n, one.score.reward, one.mcnemar) == (0, 0.0, None)
        assert one.candidate.reward > 0
        assert one.notes == [f"answered 0 of the {one.score.asked} challenges that it was asked"]


def test_possible_images_are_carried_as_distributions(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids = ids_by_position(store)
    labels = {k: r["label"] for k, r in enumerate(golden_records(golden, "e7"))}
    rng = np.random.default_rng(0)
    images = {k: rng.random(4).tolist() if k % 2 else float(rng.random()) for k in ids}
    publish_replay(store, {ids[k]: given for k, given in images.items()})
    result = compared(store)
    assert (result.exact, result.distributions) == (200, 200)
    right = [np.mean((np.array(images[k]) > 0.5) == labels[k]) for k in ids]
    assert result.candidate.accuracy == pytest.approx(np.mean(right))
    values = np.concatenate([np.atleast_1d(images[k]) for k in ids])
    each = [np.size(images[k]) for k in ids]
    weights = np.repeat(1 / np.array(each), each)
    expected = roc_auc_score(
        np.repeat([labels[k] for k in ids], each), values, sample_weight=weights
    )
    assert result.candidate.auc == pytest.approx(expected)
    assert sum(one.n for one in result.calibration.bins) == pytest.approx(400)


def test_a_run_that_is_not_there_is_one_clear_line(store: Store, golden: Path) -> None:
    ingest(store, [golden / "real" / "media_record.json"])
    with pytest.raises(RunError, match=r"found 0 finished replays.*replay --model orange"):
        compared(store)
    publish_replay(store, {})
    with pytest.raises(RunError, match="found 1 finished replays"):
        compared(store, "replay-b")


def test_nothing_in_common_is_one_clear_line_with_its_n(
    store: Store, golden: Path, record: Json, tmp_path: Path
) -> None:
    ingest(store, [golden / "real" / "media_record.json"])
    (known,) = ids_by_position(store).values()
    publish_replay(store, {known: None, "of another store": 0.7})
    with pytest.raises(
        RunError,
        match=r"found 0 answers of miners to its 0 predicted challenges \(2 more without a "
        r"prediction, 1 .*\); expected challenges that the candidate predicted",
    ):
        compared(store)
    asked_nobody = Store(tmp_path / "unasked")
    keys = ("miner_uids", "miner_hotkeys", "predictions", "rewards")
    log = tmp_path / "unasked.json"
    log.write_text(json.dumps(record | {key: [] for key in keys}), encoding="utf-8")
    ingest(asked_nobody, [log])
    publish_replay(asked_nobody, dict.fromkeys(ids_by_position(asked_nobody).values(), 0.7))
    with pytest.raises(QueryError, match="found no answer in this store"):
        compared(asked_nobody)


def test_the_command_prints_all_of_it_as_json_and_what_matters_as_text(
    store: Store, golden: Path
) -> None:
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids, rng = ids_by_position(store), np.random.default_rng(0)
    publish_replay(store, {ids[k]: rng.random(2).tolist() for k in ids})
    words = ["compare", "--store", str(store.root), "--draws", "100"]
    done = CliRunner().invoke(streetreplay.app, [*words, "--json", "--auc-intervals"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert set(found) == {one.name for one in fields(Comparison)} | {
        "made",
        "training_file",
        "against",
    }
    assert found["against"] is None
    assert not found["overlap_checked"]
    assert found["training_rows"] is found["training_file"] is None
    best = found["miners"][0]
    assert len(best["differences"]["auc"]["interval"]) == 2
    assert {baseline["name"] for baseline in found["baselines"]} == {
        "best miner",
        "median miner",
        "majority vote",
        "stacked ensemble",
    }
    text = " ".join(CliRunner().invoke(streetreplay.app, words).stdout.split())
    rank = found["ranks"]["mcc"]
    for line in (
        "image-only",
        "n 400",
        "the validator floors it at 0",
        f"rank by MCC: {rank['rank']} of {rank['of']} (95% interval {rank['best']} to",
        "chosen on the first 200 challenges, evaluated on the last 200",
        "threshold: answering roadwork above",
        "expected calibration error",
    ):
        assert line in text
    # without being asked, no interval of AUC
    assert all(
        m.differences["auc"].interval is None and m.differences["mcc"].interval is not None
        for m in compared(store).miners
        if m.images >= 30
    )
