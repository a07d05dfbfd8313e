"""The simulated validator: metrics, rewards and scores against scikit-learn; settings; seeds."""

from collections import deque
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from analytics.simulation.miners import MinerKind
from analytics.simulation.validator import SimulatedValidator, SimulationSettings, simulate
from data.records.eras import EXPONENTS
from tests.worlds.simulated_logs import golden_sources, small_log, small_settings

METRICS = ("accuracy", "precision", "recall", "f1_score", "mcc", "auc")


def expected_metrics(pairs: list[tuple[float, int]]) -> dict[str, float]:
    """A window as the validator scores it, by scikit-learn."""
    kept = [(p, y) for p, y in pairs if p != -1]
    classes, labels = [float(np.round(p)) for p, _ in kept], [y for _, y in kept]
    try:
        if not kept:
            raise ValueError("nothing answered")
        both = len(set(labels)) > 1
        return {
            "accuracy": sk.accuracy_score(labels, classes),
            "precision": sk.precision_score(labels, classes, zero_division=0),
            "recall": sk.recall_score(labels, classes, zero_division=0),
            "f1_score": sk.f1_score(labels, classes, zero_division=0),
            "mcc": max(0, sk.matthews_corrcoef(labels, classes))
            if both and len(set(classes)) > 1
            else 0.0,
            "auc": sk.roc_auc_score(labels, [p for p, _ in kept]) if both else 0.0,
        }
    except ValueError:
        return dict.fromkeys(METRICS, 0.0)


def expected_accuracy(pairs: list[tuple[float, int]]) -> float:
    """The same of the short window, where no class but 0 and 1 occurs by plain counting."""
    if any(p > 1 for p, _ in pairs):
        return expected_metrics(pairs)["accuracy"]
    right = [round(p) == y for p, y in pairs if p != -1]
    return sum(right) / len(right) if right else 0.0


@pytest.mark.parametrize("era", ["E5", "E8"])
def test_metrics_and_rewards_are_what_a_deque_and_scikit_learn_give(era: str) -> None:
    history: dict[tuple[int, str], deque[tuple[float, int]]] = {}
    checked = 0
    for number, record in enumerate(small_log(era)):
        slots = zip(
            record["miner_uids"], record["miner_hotkeys"], record["predictions"], strict=True
        )
        for slot, (uid, hotkey, prediction) in enumerate(slots):
            window = history.setdefault((uid, hotkey), deque(maxlen=100))
            window.append((prediction, record["label"]))
            # scikit-learn is slow: the start, the replaced hotkey, and full windows
            if not (number < 5 or 150 <= number < 153 or number >= 297):
                continue
            found = {name: record[f"miner_image_{name}"][slot] for name in METRICS}
            expected = expected_metrics(list(window))
            assert found == pytest.approx(expected, abs=1e-12, rel=0)
            short = expected_accuracy(list(window)[-10:])
            base = 0.5 * expected["mcc"] + 0.5 * short
            earned = base ** EXPONENTS[era] if 0 <= prediction <= 1 else 0.0
            assert record["rewards"][slot] == pytest.approx(earned, abs=1e-12, rel=0)
            checked += 1
    assert checked == 110
    assert max(len(window) for window in history.values()) == 100


@pytest.mark.parametrize("era", ["E5", "E8"])
def test_scores_follow_the_rewards_step_by_step(era: str) -> None:
    settings = small_settings(era=era)
    validator = SimulatedValidator(settings, golden_sources())
    uid_of = {
        kind: validator.population.first_of_kind(kind).uid
        for kind in (MinerKind.PROMOTED, MinerKind.REPLACED)
    }
    scores = np.zeros(30, np.float32)
    for number, record in enumerate(validator.records()):
        if number == 150:
            scores[uid_of[MinerKind.REPLACED]] = 0
        target = scores.copy()
        if number >= 100:
            target[uid_of[MinerKind.PROMOTED]] = 0
        for uid, reward in zip(record["miner_uids"], record["rewards"], strict=True):
            target[uid] = reward
        scores = (target * np.float32(0.05)) + (scores * np.float32(0.95))
        assert record["scores"] == scores.tolist()
    assert {type(score) for score in record["scores"]} == {float}


def test_a_miner_that_turns_validator_is_asked_no_more_and_decays() -> None:
    settings = small_settings()
    validator = SimulatedValidator(settings, golden_sources())
    uid = validator.population.first_of_kind(MinerKind.PROMOTED).uid
    always = set(validator.validators)
    lived = list(validator.records())
    assert any(uid in record["miner_uids"] for record in lived[:100])
    assert not any(uid in record["miner_uids"] for record in lived[100:])
    decay = [record["scores"][uid] for record in lived[99:]]
    assert decay[0] > 0.1
    assert all(later < earlier for earlier, later in pairwise(decay))
    assert not any(always & set(record["miner_uids"]) for record in lived)
    assert all(lived[-1]["scores"][uid] == 0.0 for uid in always)


def test_a_hotkey_is_replaced_midway_and_its_history_is_gone() -> None:
    settings = small_settings()
    validator = SimulatedValidator(settings, golden_sources())
    uid = validator.population.first_of_kind(MinerKind.REPLACED).uid
    lived = list(validator.records())
    keys = [r["miner_hotkeys"][r["miner_uids"].index(uid)] for r in lived if uid in r["miner_uids"]]
    assert len(set(keys)) == 2
    before = [r for r in lived[:150] if uid in r["miner_uids"]]
    after = [r for r in lived[150:] if uid in r["miner_uids"]]
    assert before[-1]["scores"][uid] > 0
    first = after[0]
    slot = first["miner_uids"].index(uid)
    assert first["miner_hotkeys"][slot] != before[-1]["miner_hotkeys"][0]
    assert first["miner_image_accuracy"][slot] in (0.0, 1.0)
    assert lived[150]["scores"][uid] <= 0.05


def test_the_same_seed_gives_the_same_log_and_another_does_not() -> None:
    settings = small_settings(challenges=20, era="E9", synthetic_share=0.3)
    assert list(simulate(settings, golden_sources())) == list(simulate(settings, golden_sources()))
    other = small_settings(seed=6, challenges=20, era="E9", synthetic_share=0.3)
    assert list(simulate(settings, golden_sources())) != list(simulate(other, golden_sources()))


def test_a_record_may_be_changed_without_changing_the_next() -> None:
    changed, whole = (simulate(small_settings(challenges=20), golden_sources()) for _ in range(2))
    for spoiled, record in zip(changed, whole, strict=True):
        assert spoiled == record
        spoiled["metadata"].clear()
        spoiled["scores"].clear()


@pytest.mark.parametrize(
    "wrong",
    [
        {"era": "E10"},
        {"era": "E5", "synthetic_share": 0.1},
        {"synthetic_share": 1.1},
        {"uids": 12, "validators": 4},
        {"validators": -1},
        {"miners_per_challenge": 0},
        {"uids": 20, "validators": 4, "miners_per_challenge": 16},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        SimulationSettings(seed=1, challenges=1, **wrong)


def test_a_common_city_has_its_share_of_the_real_challenges() -> None:
    cities = {source.columns["city_name"] for source in golden_sources()}
    city = max(cities, key=_sendable)
    for share in (0.0, 0.8, 1.0):
        settings = small_settings(common_city=city, common_share=share, synthetic_share=0.3)
        records = list(simulate(settings, golden_sources()))
        real = [record for record in records if record["source"] == "real"]
        found = np.mean([record["metadata"]["city_name"] == city for record in real])
        assert abs(found - share) < 0.12
        assert found in (0, 1) or 0 < share < 1


def _sendable(city: str) -> int:
    """The fewer of the city's sources of either label."""
    labels = [
        source.sendable_label for source in golden_sources() if source.columns["city_name"] == city
    ]
    return min(labels.count(0), labels.count(1))


def test_a_common_city_of_no_source_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0 of .* are of atlantis"):
        SimulatedValidator(small_settings(common_city="atlantis"), golden_sources())
    with pytest.raises(ValueError, match="common_share is 2"):
        small_settings(common_share=2.0)
