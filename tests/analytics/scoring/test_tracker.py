"""The tracker and the EMA against every number of the golden logs, and by hand."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.scoring.tracker import METRICS, EmaScores, ScoredAnswers, ScoringSettings, Tracker
from data.records.eras import EXPONENTS
from tests.conftest import golden_records

TOLERANCE = 1e-12
CUBED = 3
UNSCORED = dict.fromkeys(METRICS, 0.0)
Records = list[dict[str, Any]]


class Miners:
    """A tracker that is asked one answer at a time, under hotkeys of any name."""

    def __init__(
        self, exponent: int = CUBED, settings: ScoringSettings = ScoringSettings()
    ) -> None:
        self.tracker = Tracker(settings)
        self.exponent = exponent
        self.hotkeys: dict[str, int] = {}

    def answer(
        self, uid: int, hotkey: str, prediction: float, label: int
    ) -> tuple[dict[str, float], float]:
        number = self.hotkeys.setdefault(hotkey, len(self.hotkeys))
        scored = self.tracker.answer([uid], [number], prediction, label, self.exponent)
        metrics = {name: float(getattr(scored, name)[0]) for name in METRICS}
        return metrics, float(scored.reward[0])


def columns(records: Records, exponent: int) -> tuple[ScoredAnswers, dict[str, list[float]]]:
    """All answers scored in one call, and what the log says of them."""
    hotkeys: dict[str, int] = {}
    rows = [
        (uid, hotkeys.setdefault(hotkey, len(hotkeys)), prediction, record["label"])
        for record in records
        for uid, hotkey, prediction in zip(
            record["miner_uids"], record["miner_hotkeys"], record["predictions"], strict=True
        )
    ]
    logged = {
        name: [value for record in records for value in record[key]]
        for name, key in {**{m: f"miner_image_{m}" for m in METRICS}, "reward": "rewards"}.items()
    }
    return Tracker().answer(*zip(*rows, strict=True), exponent), logged  # type: ignore[call-arg]


@pytest.mark.parametrize("era", ["E7", "E9", "E5"])
def test_every_logged_metric_and_reward_is_derived_again(era: str, golden: Path) -> None:
    scored, logged = columns(golden_records(golden, era.lower()), EXPONENTS[era])
    assert len(logged["reward"]) > 300
    for name, values in logged.items():
        assert getattr(scored, name) == pytest.approx(values, abs=TOLERANCE, rel=0), name


@pytest.mark.parametrize("era", ["E7", "E9", "E5"])
def test_every_logged_score_is_derived_again_bit_by_bit(era: str, golden: Path) -> None:
    records = golden_records(golden, era.lower())
    miners, scores = Miners(EXPONENTS[era]), EmaScores(np.zeros(len(records[0]["scores"])))
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
            rewards.append(miners.answer(uid, hotkey, prediction, record["label"])[1])
        scores.update(record["miner_uids"], rewards)
        assert scores.values.tolist() == record["scores"]


def test_answers_may_come_in_any_number_of_calls(golden: Path) -> None:
    records = golden_records(golden, "e7")
    whole, _ = columns(records, CUBED)
    tracker, hotkeys, found = Tracker(), dict[str, int](), []
    for record in records:
        numbers = [hotkeys.setdefault(key, len(hotkeys)) for key in record["miner_hotkeys"]]
        uids, predictions = record["miner_uids"], record["predictions"]
        found.append(tracker.answer(uids, numbers, predictions, record["label"], CUBED))
    for name in vars(whole):
        parts = np.concatenate([getattr(part, name) for part in found])
        assert np.array_equal(parts, getattr(whole, name)), name


def test_the_golden_logs_hold_the_cases_that_they_promise(golden: Path) -> None:
    records = (
        golden_records(golden, "e7") + golden_records(golden, "e9") + golden_records(golden, "e5")
    )
    answers = {answer for record in records for answer in record["predictions"]}
    assert {-1.0, -0.3, 0.5, 1.7} <= answers
    assert any(
        len(set(r["miner_uids"])) < len(r["miner_uids"]) for r in golden_records(golden, "e9")
    )


def test_a_new_hotkey_starts_a_new_history() -> None:
    miners = Miners()
    for label in (0, 1, 0):
        miners.answer(4, "old", 1.0, label)
    metrics, reward = miners.answer(4, "new", 1.0, 1)
    assert (metrics["accuracy"], reward) == (1.0, 0.125)
    assert miners.tracker.window(4)[0].tolist() == [1.0]
    # the old one does not come back
    assert miners.answer(4, "old", 1.0, 1)[0]["accuracy"] == 1.0
    assert len(miners.tracker.window(4)[1]) == 1


def test_uids_do_not_share_a_history() -> None:
    miners = Miners()
    miners.answer(1, "a", 0.0, 1)
    assert miners.answer(2, "a", 1.0, 1)[0]["accuracy"] == 1.0


def test_windows_are_cut_before_unanswered_entries_are_dropped() -> None:
    miners = Miners(1, ScoringSettings(metrics_window=4, accuracy_window=2))
    for prediction, label in ((1.0, 1), (0.0, 0), (-1.0, 1), (-1.0, 0)):
        metrics, reward = miners.answer(1, "a", prediction, label)
    assert metrics["mcc"] == 1.0
    assert reward == 0.0
    # the short window holds one unanswered entry and one answer, the long one the answer before
    metrics, reward = miners.answer(1, "a", 1.0, 1)
    assert (metrics["accuracy"], metrics["mcc"]) == (1.0, 1.0)
    assert reward == 1.0
    metrics, reward = miners.answer(1, "a", 0.0, 1)
    assert metrics["accuracy"] == 0.5
    assert reward == 0.25


def test_a_hundred_answers_are_remembered() -> None:
    miners = Miners()
    miners.answer(1, "a", 0.0, 1)
    for _ in range(99):
        metrics, _ = miners.answer(1, "a", 1.0, 1)
    assert metrics["accuracy"] == 0.99
    assert miners.answer(1, "a", 1.0, 1)[0]["accuracy"] == 1.0


def test_an_answer_that_is_not_finite_zeroes_its_windows_until_it_leaves_them() -> None:
    miners = Miners()
    miners.answer(1, "a", 0.0, 0)
    for odd in (math.nan, math.inf):
        assert miners.answer(1, "a", odd, 1) == (UNSCORED, 0.0)
    for _ in range(9):
        assert miners.answer(1, "a", 1.0, 1) == (UNSCORED, 0.0)
    # gone from the last 10, still in the last 100
    assert miners.answer(1, "a", 1.0, 1) == (UNSCORED, 0.125)


def test_exactly_half_is_class_0_and_in_range() -> None:
    metrics, reward = Miners().answer(1, "a", 0.5, 0)
    assert (metrics["accuracy"], reward) == (1.0, 0.125)


@pytest.mark.parametrize(("prediction", "accuracy"), [(-0.3, 1.0), (1.2, 0.0), (1.7, 0.0)])
def test_out_of_range_earns_nothing_but_stays_in_the_history(
    prediction: float, accuracy: float
) -> None:
    miners = Miners()
    metrics, reward = miners.answer(1, "a", prediction, 0)
    assert (metrics["accuracy"], reward) == (accuracy, 0.0)
    assert miners.tracker.window(1)[0].tolist() == [prediction]


def test_a_uid_asked_twice_answers_twice_and_its_last_reward_counts() -> None:
    miners, scores = Miners(), EmaScores(np.zeros(3))
    rewards = [miners.answer(1, "a", prediction, 1)[1] for prediction in (1.0, 0.0)]
    assert len(miners.tracker.window(1)[0]) == 2
    assert rewards == [0.125, 0.25**3]
    scores.update([1, 1], rewards)
    assert scores.values.tolist() == [0.0, float(np.float32(0.05) * np.float32(0.25**3)), 0.0]


def test_products_of_the_ema_are_rounded() -> None:
    start = np.random.default_rng(1).random(256).astype(np.float32)
    scores = EmaScores(start)
    scores.update([7], [0.3])
    expected = start.copy()
    for uid, old in enumerate(start):
        target = np.float32(0.3) if uid == 7 else old
        expected[uid] = np.float32(np.float32(0.05) * target) + np.float32(np.float32(0.95) * old)
    assert scores.values.tolist() == expected.tolist()
    # an unasked score may move its last bit, so that "unchanged" is no proof of "unasked"
    assert (expected != start).sum() > 1


def test_validators_decay_unless_they_are_asked() -> None:
    scores = EmaScores([1.0, 1.0, 1.0])
    scores.update([1], [0.5], validators={0, 1})
    assert scores.values == pytest.approx([0.95, 0.975, 1.0], abs=1e-6)


def test_a_replaced_hotkey_is_set_to_zero() -> None:
    scores = EmaScores([0.5, 0.5])
    scores.reset(1)
    assert scores.values.tolist() == [0.5, 0.0]


def test_values_are_a_copy() -> None:
    scores = EmaScores([0.5])
    scores.values[0] = 9.0
    assert scores.values.tolist() == [0.5]


@pytest.mark.parametrize("uid", [-1, 2])
def test_a_uid_without_a_score_is_refused(uid: int) -> None:
    scores = EmaScores([0.5, 0.5])
    with pytest.raises(IndexError, match=r"expected 0\.\.1"):
        scores.update([uid], [1.0])
    with pytest.raises(IndexError):
        scores.reset(uid)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"uids": [256]}, r"uids are 256\.\.256, expected 0\.\.255"),
        ({"uids": [-1]}, "expected 0"),
        ({"hotkeys": [-1]}, "hotkeys"),
        ({"labels": [2]}, "labels 0 or 1"),
        ({"predictions": [0.5, 0.5]}, "broadcast"),
    ],
)
def test_answers_that_no_validator_could_score_are_refused(
    wrong: dict[str, Any], words: str
) -> None:
    good = {"uids": [1], "hotkeys": [0], "predictions": [0.5], "labels": [1], "exponents": [3]}
    with pytest.raises(ValueError, match=words):
        Tracker().answer(**{**good, **wrong})


@pytest.mark.parametrize(
    "wrong", [{"alpha": 1.5}, {"accuracy_window": 0}, {"accuracy_window": 101}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        ScoringSettings(**wrong)
