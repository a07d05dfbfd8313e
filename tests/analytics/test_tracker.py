"""The tracker and the EMA against every number of the golden logs, and by hand."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.metrics import NOT_SCORED
from analytics.tracker import EmaScores, ScoringSettings, Tracker
from data.eras import EXPONENTS

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
METRICS = ("accuracy", "precision", "recall", "f1_score", "mcc", "auc")
TOLERANCE = 1e-12
CUBED = ScoringSettings(exponent=3)


def golden(era: str) -> list[dict[str, Any]]:
    lines = (GOLDEN / era.lower() / "challenges.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("era", ["E7", "E9", "E5"])
def test_every_logged_metric_and_reward_is_derived_again(era: str) -> None:
    tracker = Tracker(ScoringSettings(EXPONENTS[era]))
    for record in golden(era):
        asked = zip(
            record["miner_uids"], record["miner_hotkeys"], record["predictions"], strict=True
        )
        for slot, (uid, hotkey, prediction) in enumerate(asked):
            metrics, reward = tracker.answer(uid, hotkey, prediction, record["label"])
            logged = [record[f"miner_image_{name}"][slot] for name in METRICS]
            found = [getattr(metrics, name) for name in METRICS]
            assert found == pytest.approx(logged, abs=TOLERANCE, rel=0)
            assert reward == pytest.approx(record["rewards"][slot], abs=TOLERANCE, rel=0)


@pytest.mark.parametrize("era", ["E7", "E9", "E5"])
def test_every_logged_score_is_derived_again_bit_by_bit(era: str) -> None:
    settings = ScoringSettings(EXPONENTS[era])
    records = golden(era)
    tracker, scores = Tracker(settings), EmaScores(np.zeros(len(records[0]["scores"])), settings)
    hotkeys: dict[int, str] = {}
    for record in records:
        rewards = []
        asked = zip(
            record["miner_uids"], record["miner_hotkeys"], record["predictions"], strict=True
        )
        for uid, hotkey, prediction in asked:
            if hotkeys.setdefault(uid, hotkey) != hotkey:
                scores.reset(uid)
            hotkeys[uid] = hotkey
            rewards.append(tracker.answer(uid, hotkey, prediction, record["label"])[1])
        scores.update(record["miner_uids"], rewards)
        assert scores.values.tolist() == record["scores"]


def test_the_golden_logs_hold_the_cases_that_they_promise() -> None:
    records = golden("E7") + golden("E9") + golden("E5")
    answers = {answer for record in records for answer in record["predictions"]}
    assert {-1.0, -0.3, 0.5, 1.7} <= answers
    assert any(len(set(r["miner_uids"])) < len(r["miner_uids"]) for r in golden("E9"))


def test_a_new_hotkey_starts_a_new_history() -> None:
    tracker = Tracker(CUBED)
    for label in (0, 1, 0):
        tracker.answer(4, "old", 1.0, label)
    metrics, reward = tracker.answer(4, "new", 1.0, 1)
    assert (metrics.accuracy, reward) == (1.0, 0.125)
    assert tracker.window(4)[0].tolist() == [1.0]
    # the old one does not come back
    assert tracker.answer(4, "old", 1.0, 1)[0].accuracy == 1.0
    assert len(tracker.window(4)[1]) == 1


def test_uids_do_not_share_a_history() -> None:
    tracker = Tracker(CUBED)
    tracker.answer(1, "a", 0.0, 1)
    assert tracker.answer(2, "a", 1.0, 1)[0].accuracy == 1.0


def test_windows_are_cut_before_unanswered_entries_are_dropped() -> None:
    tracker = Tracker(ScoringSettings(exponent=1, metrics_window=4, accuracy_window=2))
    for prediction, label in ((1.0, 1), (0.0, 0), (-1.0, 1), (-1.0, 0)):
        metrics, reward = tracker.answer(1, "a", prediction, label)
    assert metrics.mcc == 1.0
    assert reward == 0.0
    # the short window holds one unanswered entry and one answer, the long one the answer before
    metrics, reward = tracker.answer(1, "a", 1.0, 1)
    assert (metrics.accuracy, metrics.mcc) == (1.0, 1.0)
    assert reward == 1.0
    metrics, reward = tracker.answer(1, "a", 0.0, 1)
    assert metrics.accuracy == 0.5
    assert reward == 0.25


def test_a_hundred_answers_are_remembered() -> None:
    tracker = Tracker(CUBED)
    tracker.answer(1, "a", 0.0, 1)
    for _ in range(99):
        metrics, _ = tracker.answer(1, "a", 1.0, 1)
    assert metrics.accuracy == 0.99
    assert tracker.answer(1, "a", 1.0, 1)[0].accuracy == 1.0


def test_an_answer_that_is_not_finite_zeroes_its_windows_until_it_leaves_them() -> None:
    tracker = Tracker(CUBED)
    tracker.answer(1, "a", 0.0, 0)
    for odd in (math.nan, math.inf):
        assert tracker.answer(1, "a", odd, 1) == (NOT_SCORED, 0.0)
    for _ in range(9):
        assert tracker.answer(1, "a", 1.0, 1) == (NOT_SCORED, 0.0)
    # gone from the last 10, still in the last 100
    assert tracker.answer(1, "a", 1.0, 1) == (NOT_SCORED, 0.125)


def test_exactly_half_is_class_0_and_in_range() -> None:
    metrics, reward = Tracker(CUBED).answer(1, "a", 0.5, 0)
    assert (metrics.accuracy, reward) == (1.0, 0.125)


@pytest.mark.parametrize(("prediction", "accuracy"), [(-0.3, 1.0), (1.2, 0.0), (1.7, 0.0)])
def test_out_of_range_earns_nothing_but_stays_in_the_history(
    prediction: float, accuracy: float
) -> None:
    tracker = Tracker(CUBED)
    metrics, reward = tracker.answer(1, "a", prediction, 0)
    assert (metrics.accuracy, reward) == (accuracy, 0.0)
    assert tracker.window(1)[0].tolist() == [prediction]


def test_a_uid_asked_twice_answers_twice_and_its_last_reward_counts() -> None:
    tracker, scores = Tracker(CUBED), EmaScores(np.zeros(3), CUBED)
    rewards = [tracker.answer(1, "a", prediction, 1)[1] for prediction in (1.0, 0.0)]
    assert len(tracker.window(1)[0]) == 2
    assert rewards == [0.125, 0.25**3]
    scores.update([1, 1], rewards)
    assert scores.values.tolist() == [0.0, float(np.float32(0.05) * np.float32(0.25**3)), 0.0]


def test_products_of_the_ema_are_rounded() -> None:
    start = np.random.default_rng(1).random(256).astype(np.float32)
    scores = EmaScores(start, CUBED)
    scores.update([7], [0.3])
    expected = start.copy()
    for uid, old in enumerate(start):
        target = np.float32(0.3) if uid == 7 else old
        expected[uid] = np.float32(np.float32(0.05) * target) + np.float32(np.float32(0.95) * old)
    assert scores.values.tolist() == expected.tolist()
    # an unasked score may move its last bit, so that "unchanged" is no proof of "unasked"
    assert (expected != start).sum() > 1


def test_validators_decay_unless_they_are_asked() -> None:
    scores = EmaScores([1.0, 1.0, 1.0], CUBED)
    scores.update([1], [0.5], validators={0, 1})
    assert scores.values == pytest.approx([0.95, 0.975, 1.0], abs=1e-6)


def test_a_replaced_hotkey_is_set_to_zero() -> None:
    scores = EmaScores([0.5, 0.5], CUBED)
    scores.reset(1)
    assert scores.values.tolist() == [0.5, 0.0]


def test_values_are_a_copy() -> None:
    scores = EmaScores([0.5], CUBED)
    scores.values[0] = 9.0
    assert scores.values.tolist() == [0.5]


@pytest.mark.parametrize("uid", [-1, 2])
def test_a_uid_without_a_score_is_refused(uid: int) -> None:
    scores = EmaScores([0.5, 0.5], CUBED)
    with pytest.raises(IndexError, match=r"expected 0\.\.1"):
        scores.update([uid], [1.0])
    with pytest.raises(IndexError):
        scores.reset(uid)


@pytest.mark.parametrize(
    "wrong", [{"alpha": 1.5}, {"accuracy_window": 0}, {"accuracy_window": 101}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        ScoringSettings(exponent=3, **wrong)
