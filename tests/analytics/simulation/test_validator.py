"""The simulated validator: its form against golden records, its numbers against scikit-learn."""

import json
from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from analytics.simulation.miners import MinerKind
from analytics.simulation.sources import SimulatedSource
from analytics.simulation.validator import SimulatedValidator, SimulationSettings, simulate
from data.records.eras import EXPONENTS
from data.records.media_record import read_challenge
from data.records.types import Geometry, NullKind, Origin
from tests.conftest import GOLDEN, golden_records
from tests.worlds.simulated_logs import golden_sources

ERAS = ("E4", "E5", "E6", "E7", "E8", "E9")
METRICS = ("accuracy", "precision", "recall", "f1_score", "mcc", "auc")
Shape = dict[str, Any]


def small(**changes: Any) -> SimulationSettings:
    """A subnet of 30 uids, 4 of them validators, so that windows of 100 fill in 300 challenges."""
    defaults = {"seed": 5, "challenges": 300, "uids": 30, "validators": 4}
    return SimulationSettings(**(defaults | changes))


@cache
def records(era: str, challenges: int = 300, share: float = 0.0) -> list[Shape]:
    settings = small(challenges=challenges, era=era, synthetic_share=share)
    return list(simulate(settings, golden_sources()))


def shape(value: object) -> object:
    """Keys and types, without values; a list by the types that occur in it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({str(shape(inner)) for inner in value})
    return type(value).__name__


def merged(shapes: Iterator[Any]) -> dict[str, set[str]]:
    """Every key path with all the types that it occurs with."""
    found: dict[str, set[str]] = defaultdict(set)

    def walk(path: str, node: Any) -> None:
        if isinstance(node, dict):
            for key, inner in node.items():
                walk(f"{path}/{key}", inner)
        else:
            found[path].update(node if isinstance(node, list) else [node])

    for one in shapes:
        walk("", one)
    return found


@pytest.mark.parametrize("era", ["E5", "E7", "E9"])
def test_keys_and_their_order_are_those_of_a_logged_record(era: str) -> None:
    expected = golden_records(GOLDEN, era.lower())[0]
    for record in records(era):
        assert list(record) == list(expected)
        assert list(record["metadata"]) == list(expected["metadata"])


def test_keys_are_those_of_the_real_record() -> None:
    real = json.loads((GOLDEN / "real" / "media_record.json").read_text())
    simulated = next(simulate(SimulationSettings(seed=1, challenges=1), golden_sources()))
    assert list(simulated) == list(real)
    assert list(simulated["metadata"]) == list(real["metadata"])
    assert len(simulated["scores"]) == len(real["scores"]) == 256
    assert {len(hotkey) for hotkey in real["miner_hotkeys"]} == {48}


@pytest.mark.parametrize("era", ["E5", "E7", "E9"])
def test_types_are_those_of_logged_records_at_every_key(era: str) -> None:
    # the golden sources are few, so types of the data set's columns are looked up in all of them
    logged = merged(
        shape(record)
        for record in golden_records(GOLDEN, "e5")
        + golden_records(GOLDEN, "e7")
        + golden_records(GOLDEN, "e9")
    )
    logged["/source_model_task"] = {"NoneType"} if era == "E5" else {"str"}
    simulated = merged(shape(record) for record in records(era))
    assert {path: types - logged[path] for path, types in simulated.items()} == {
        path: set() for path in simulated
    }


def test_integer_zeros_stand_where_the_validator_logs_them() -> None:
    kinds = {type(value) for r in records("E7") for value in r["miner_image_mcc"]}
    assert kinds == {int, float}
    for record in records("E7"):
        for slot, value in enumerate(record["miner_image_accuracy"]):
            if type(value) is int:
                assert {type(record[f"miner_image_{name}"][slot]) for name in METRICS} == {int}


def test_records_are_json_and_survive_it() -> None:
    for era in ERAS:
        record = records(era)[-1]
        assert json.loads(json.dumps(record, allow_nan=False)) == record


@pytest.mark.parametrize("era", ERAS)
def test_the_reader_reads_every_record_without_a_problem(era: str) -> None:
    share = 0.0 if era in ("E4", "E5") else 0.3
    for position, record in enumerate(records(era, 60, share)):
        logged = read_challenge(record, Origin("simulated", position))
        assert logged.problems == ()
        assert len(logged.challenge.responses) == 10


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
    for number, record in enumerate(records(era)):
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
    settings = small(era=era)
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
    settings = small()
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
    settings = small()
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


def test_every_kind_of_miner_is_there_and_shows() -> None:
    settings = small()
    validator = SimulatedValidator(settings, golden_sources())
    miners = {miner.uid: miner for miner in validator.population.miners}
    assert {miner.kind for miner in miners.values()} == set(MinerKind)
    answers: dict[MinerKind, list[float]] = defaultdict(list)
    copies = []
    for record in validator.records():
        asked = list(zip(record["miner_uids"], record["predictions"], strict=True))
        for uid, prediction in asked:
            answers[miners[uid].kind].append(prediction)
        copies.append({p for uid, p in asked if miners[uid].kind is MinerKind.COPY})
    assert 1.7 in answers[MinerKind.OUT_OF_RANGE]
    assert 0.5 in answers[MinerKind.HALF]
    assert set(answers[MinerKind.HARD]) == {0.0, 1.0}
    assert np.mean(np.array(answers[MinerKind.SILENT]) == -1) > 0.7
    assert max(map(len, copies)) == 1
    assert len([kind for kind in miners.values() if kind.kind is MinerKind.COPY]) == 3
    assert all(0 < p < 1 for p in answers[MinerKind.SKILLED] + answers[MinerKind.MEDIOCRE])


def error_rate(level: int, kind: MinerKind) -> float:
    settings = small()
    kinds = {
        m.uid: m.kind for m in SimulatedValidator(settings, golden_sources()).population.miners
    }
    wrong = [
        np.round(prediction) != record["label"]
        for record in records("E7")
        if record["data_aug_level"] == level
        for uid, prediction in zip(record["miner_uids"], record["predictions"], strict=True)
        if kinds[uid] is kind
    ]
    return float(np.mean(wrong))


def test_skill_and_level_show_in_the_error_rate() -> None:
    assert error_rate(0, MinerKind.SKILLED) < error_rate(3, MinerKind.SKILLED)
    assert error_rate(3, MinerKind.SKILLED) < error_rate(3, MinerKind.MEDIOCRE) < 0.5


def test_the_same_seed_gives_the_same_log_and_another_does_not() -> None:
    settings = small(challenges=20, era="E9", synthetic_share=0.3)
    assert list(simulate(settings, golden_sources())) == list(simulate(settings, golden_sources()))
    other = small(seed=6, challenges=20, era="E9", synthetic_share=0.3)
    assert list(simulate(settings, golden_sources())) != list(simulate(other, golden_sources()))


def test_a_record_may_be_changed_without_changing_the_next() -> None:
    changed, whole = (simulate(small(challenges=20), golden_sources()) for _ in range(2))
    for spoiled, record in zip(changed, whole, strict=True):
        assert spoiled == record
        spoiled["metadata"].clear()
        spoiled["scores"].clear()


@pytest.mark.parametrize("era", ["E7", "E8"])
def test_crops_are_squares_within_the_image(era: str) -> None:
    levels = [record["data_aug_level"] for record in records(era)]
    assert all(50 < levels.count(level) < 100 for level in range(4))
    for record in records(era):
        params = record["data_aug_params"]
        assert (params == {}) == (record["data_aug_level"] == 0)
        if params:
            top, left, height, width = params["RandomResizedCropWithParams"]["crop_params"]
            image_width, image_height = record["metadata"]["image_size"]
            assert min(top, left) >= 0
            assert top + height <= image_height
            assert left + width <= image_width
            assert height == width
            area = height * width / (image_width * image_height)
            assert 0.19 < area <= 1
            assert abs(params["RandomRotationWithParams"]["angle"]) <= 20


def test_letterboxes_are_those_of_logged_records() -> None:
    logged = {
        tuple(record["metadata"]["image_size"]): record["data_aug_params"]["ResizeWithPadding"]
        for record in golden_records(GOLDEN, "e9")
    }
    compared = 0
    for record in records("E9"):
        params = record["data_aug_params"]
        assert (len(params) == 1) == (record["data_aug_level"] == 0)
        expected = logged.get(tuple(record["metadata"]["image_size"]))
        if expected is not None:
            assert params["ResizeWithPadding"] == expected
            compared += 1
        height, width = params["ResizeWithPadding"]["new_size"]
        left, top, right, bottom = params["ResizeWithPadding"]["padding"]
        assert (left + width + right, top + height + bottom) == (224, 224)
    assert compared > 50


def test_a_description_is_there_if_and_only_if_the_label_is_1() -> None:
    for record in records("E7") + records("E7", 200, 0.5):
        assert bool(record["metadata"]["scene_description"]) == (record["label"] == 1)
        assert record["metadata"]["label"] == record["label"]


def test_sources_that_contradict_themselves_are_never_sent() -> None:
    odd = SimulatedSource(
        "x.parquet", 0, "png", (64, 48), "RGB", {"label": 1, "scene_description": None}
    )
    sent = {r["path"] for r in simulate(small(challenges=60), (*golden_sources(), odd))}
    assert not any("x__image" in path for path in sent)
    with pytest.raises(ValueError, match="no source with label 0 and no scene_description"):
        next(simulate(small(challenges=1), [odd]))


def test_synthetic_records_have_prompts_but_no_place_and_no_tags() -> None:
    lived = records("E7", 200, 0.5)
    synthetic = [record for record in lived if record["source"] == "synthetic"]
    assert 70 < len(synthetic) < 130
    assert {record["source_model_task"] for record in synthetic} == {"i2i", "t2i"}
    for position, record in enumerate(synthetic):
        challenge = read_challenge(record, Origin("simulated", position)).challenge
        for column in ("gps", "weather", "daytime", "environment"):
            assert challenge.nulls[column] is NullKind.ABSENT
        assert challenge.source.prompt
        assert challenge.source.model_name
        if record["label"] == 0:
            assert challenge.nulls["scene_description"] is NullKind.EMPTY


def test_text_to_image_starts_in_september_2025() -> None:
    tasks = {r["source_model_task"] for r in records("E6", 60, 1.0)}
    assert tasks == {"i2i"}
    started = datetime(2025, 10, 1, tzinfo=UTC)
    late = small(challenges=60, era="E6", synthetic_share=1.0, started=started)
    assert {r["source_model_task"] for r in simulate(late, golden_sources())} == {"i2i", "t2i"}


@pytest.mark.parametrize("era", ERAS)
def test_a_uid_is_asked_twice_from_e8_on_only(era: str) -> None:
    twice = any(len(set(r["miner_uids"])) < 10 for r in records(era))
    assert twice == (era in ("E8", "E9"))


def test_a_single_uid_is_a_scalar_from_e8_on() -> None:
    for era, kind in (("E7", list), ("E8", int)):
        settings = small(era=era, miners_per_challenge=1)
        record = next(simulate(settings, golden_sources()))
        assert type(record["miner_uids"]) is kind
        assert len(record["miner_hotkeys"]) == len(record["predictions"]) == 1


@pytest.mark.parametrize("era", ERAS)
def test_the_era_shows_in_keys_and_geometry(era: str) -> None:
    record = records(era)[-1]
    assert ("model_urls" in record) == (era in ("E4", "E5", "E6"))
    assert ("source" in record) == (era not in ("E4", "E5"))
    time = small(era=era).time_of(299)
    challenge = read_challenge(record, Origin("simulated", 299, time=time)).challenge
    assert era in challenge.era_candidates
    geometry = Geometry.LETTERBOX if era == "E9" else Geometry.CROP
    assert challenge.augmentation.geometry is geometry


def test_hotkeys_are_shaped_like_real_ones() -> None:
    hotkeys = {hotkey for record in records("E7") for hotkey in record["miner_hotkeys"]}
    assert len(hotkeys) == 27
    assert all(len(key) == 48 and key.startswith("5") and key.isalnum() for key in hotkeys)


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
