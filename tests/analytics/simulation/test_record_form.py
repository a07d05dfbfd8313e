"""Simulated records have the form of logged ones: keys, types, zeros; the reader reads them."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from analytics.simulation.validator import SimulationSettings, simulate
from data.records.media_record import read_challenge
from data.records.types import Geometry, Origin
from tests.conftest import GOLDEN, golden_records
from tests.worlds.simulated_logs import golden_sources, small_log, small_settings

ERAS = ("E4", "E5", "E6", "E7", "E8", "E9")
METRICS = ("accuracy", "precision", "recall", "f1_score", "mcc", "auc")


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
    for record in small_log(era):
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
    simulated = merged(shape(record) for record in small_log(era))
    assert {path: types - logged[path] for path, types in simulated.items()} == {
        path: set() for path in simulated
    }


def test_integer_zeros_stand_where_the_validator_logs_them() -> None:
    kinds = {type(value) for r in small_log("E7") for value in r["miner_image_mcc"]}
    assert kinds == {int, float}
    for record in small_log("E7"):
        for slot, value in enumerate(record["miner_image_accuracy"]):
            if type(value) is int:
                assert {type(record[f"miner_image_{name}"][slot]) for name in METRICS} == {int}


def test_records_are_json_and_survive_it() -> None:
    for era in ERAS:
        record = small_log(era)[-1]
        assert json.loads(json.dumps(record, allow_nan=False)) == record


@pytest.mark.parametrize("era", ERAS)
def test_the_reader_reads_every_record_without_a_problem(era: str) -> None:
    share = 0.0 if era in ("E4", "E5") else 0.3
    for position, record in enumerate(small_log(era, 60, share)):
        logged = read_challenge(record, Origin("simulated", position))
        assert logged.problems == ()
        assert len(logged.challenge.responses) == 10


@pytest.mark.parametrize("era", ERAS)
def test_a_uid_is_asked_twice_from_e8_on_only(era: str) -> None:
    twice = any(len(set(r["miner_uids"])) < 10 for r in small_log(era))
    assert twice == (era in ("E8", "E9"))


def test_a_single_uid_is_a_scalar_from_e8_on() -> None:
    for era, kind in (("E7", list), ("E8", int)):
        settings = small_settings(era=era, miners_per_challenge=1)
        record = next(simulate(settings, golden_sources()))
        assert type(record["miner_uids"]) is kind
        assert len(record["miner_hotkeys"]) == len(record["predictions"]) == 1


@pytest.mark.parametrize("era", ERAS)
def test_the_era_shows_in_keys_and_geometry(era: str) -> None:
    record = small_log(era)[-1]
    assert ("model_urls" in record) == (era in ("E4", "E5", "E6"))
    assert ("source" in record) == (era not in ("E4", "E5"))
    time = small_settings(era=era).time_of(299)
    challenge = read_challenge(record, Origin("simulated", 299, time=time)).challenge
    assert era in challenge.era_candidates
    geometry = Geometry.LETTERBOX if era == "E9" else Geometry.CROP
    assert challenge.augmentation.geometry is geometry
