from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.records.eras import ERAS, infer_eras
from tests.conftest import golden_records

CROP = {"RandomRotationWithParams": {"angle": 1.0}, "RandomResizedCropWithParams": {}}


def candidates(record: dict[str, Any], time: datetime | None) -> tuple[str, ...]:
    return infer_eras(record, time).candidates


def a_record(**changes: Any) -> dict[str, Any]:
    base = {
        "source": "real",
        "data_aug_level": 1,
        "data_aug_params": CROP,
        "miner_uids": [1, 2],
    }
    return {key: value for key, value in (base | changes).items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("E7", "E8")),
        ({"miner_uids": [1, 1]}, ("E8",)),
        ({"miner_uids": 4}, ("E8",)),
        ({"model_urls": []}, ("E6",)),
        ({"model_urls": [], "source": ...}, ("E4", "E5")),
        ({"data_aug_params": {"ResizeWithPadding": {}}, "data_aug_level": 0}, ("E9",)),
        ({"data_aug_params": {}, "data_aug_level": 0}, ("E7", "E8")),
        ({"data_aug_params": {}, "data_aug_level": -1}, ("E7", "E8", "E9")),
        ({"data_aug_params": ..., "data_aug_level": ...}, ("E10",)),
        ({"source": "api", "task_id": "x"}, ("E10",)),
        ({"source": ...}, ("E4", "E5")),
    ],
)
def test_keys_tell_eras(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert candidates(a_record(**changes), None) == expected


def test_time_narrows_what_keys_leave() -> None:
    assert candidates(a_record(), datetime(2025, 12, 20, tzinfo=UTC)) == ("E7",)
    assert candidates(a_record(), datetime(2026, 3, 1, tzinfo=UTC)) == ("E8",)
    # within a day of the merge both stay possible
    assert candidates(a_record(), datetime(2026, 1, 6, tzinfo=UTC)) == ("E7", "E8")


def test_time_never_outvotes_keys() -> None:
    late = datetime(2026, 11, 23, tzinfo=UTC)
    assert candidates(a_record(), late) == ("E7", "E8")


def test_exponent_decides_where_keys_contradict() -> None:
    # neither `source` (E6 on) nor `model_urls` (until E6): only the formula can tell
    bare = a_record(source=...) | {"miner_image_mcc": [0.6, 0.0]}
    cubed = bare | {"rewards": [((0.6 + 0.9) / 2) ** 3, (0.5 * 0.7) ** 3]}
    plain = bare | {"rewards": [(0.6 + 0.9) / 2, 0.5 * 0.7]}
    assert candidates(plain, None) == ("E4", "E5")
    assert candidates(cubed, None) == ("E7", "E8")


def test_golden_records_are_of_their_era(golden: Path) -> None:
    for folder, expected in (("e5", ("E4", "E5")), ("e7", ("E7", "E8")), ("e9", ("E9",))):
        found = {candidates(record, None) for record in golden_records(golden, folder)}
        assert found == {expected}


def test_eras_are_in_order_of_time() -> None:
    assert [era.start for era in ERAS] == sorted(era.start for era in ERAS)


@pytest.mark.parametrize(
    ("changes", "time", "evidence"),
    [
        ({}, None, ("keys",)),
        ({}, datetime(2025, 12, 20, tzinfo=UTC), ("keys", "time")),
        # time leaves as many as keys do: it decides nothing
        ({}, datetime(2026, 1, 6, tzinfo=UTC), ("keys",)),
        ({}, datetime(2026, 11, 23, tzinfo=UTC), ("keys", "not time")),
        ({"rewards": [0.75], "miner_image_mcc": [0.6]}, None, ("keys", "not exponent")),
        (
            {"source": ..., "rewards": [0.75], "miner_image_mcc": [0.6]},
            datetime(2025, 7, 20, tzinfo=UTC),
            ("keys", "time"),
        ),
        (
            {"source": ..., "rewards": [0.75], "miner_image_mcc": [0.6]},
            None,
            ("keys", "exponent"),
        ),
    ],
)
def test_it_says_which_evidence_decided(
    changes: dict[str, Any], time: datetime | None, evidence: tuple[str, ...]
) -> None:
    assert infer_eras(a_record(**changes), time).evidence == evidence
