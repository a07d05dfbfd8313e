"""Gates and shares as published, from parts written by hand."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.answering.part_file import PART_SCHEMA
from replay.runs.part_relations import relation_rows

Image = tuple[float, list[float] | None]
"""The weight of a possible image, and its views' gates."""


def published(challenges: dict[str, list[Image]]) -> dict[str, list[tuple[Any, ...]]]:
    """The gate and share of each view, in their order, by challenge."""
    staged = [
        {
            "challenge_id": challenge,
            "fidelity": "distribution",
            "reason": None,
            "variant": index,
            "weight": weight,
            "noisy": False,
            "probability": 0.5,
            "gates": gates,
        }
        for challenge, images in challenges.items()
        for index, (weight, gates) in enumerate(images)
    ]
    parts = pa.Table.from_pylist(staged, schema=PART_SCHEMA)
    gates = relation_rows(parts, "run")["replay_gates"].to_pylist()
    by_challenge: dict[str, list[tuple[Any, ...]]] = {name: [] for name in challenges}
    for row in sorted(gates, key=lambda row: row["view"]):
        by_challenge[row["challenge_id"]].append((row["gate"], row["share"]))
    return by_challenge


def test_a_share_is_the_mean_of_each_images_own_shares() -> None:
    images: list[Image] = [(0.75, [0.9, 0.1]), (0.25, [0.01, 0.03])]
    found = published({"a": images})["a"]
    # 0.75 * 9/10 + 0.25 * 1/4; that of the mean gates would be 0.6775 / 0.76 = 0.89
    assert found[0] == pytest.approx((0.6775, 0.7375), rel=1e-6)
    assert found[1] == pytest.approx((0.0825, 0.2625), rel=1e-6)


def test_a_single_image_has_shares_without_a_scale() -> None:
    found = published({"a": [(1.0, [0.5, 0.25, 0.25])], "b": [(1.0, [2e-9, 1e-9, 1e-9])]})
    for challenge in found.values():
        assert [share for _, share in challenge] == pytest.approx([0.5, 0.25, 0.25])


def test_shut_gates_have_shares_of_0() -> None:
    found = published(
        {
            "all": [(0.5, [0.0, 0.0]), (0.5, [0.0, 0.0])],
            "one": [(0.5, [0.0, 0.0]), (0.5, [0.2, 0.6])],
        },
    )
    assert found["all"] == [(0, 0), (0, 0)]
    assert [share for _, share in found["one"]] == pytest.approx([0.125, 0.375])


def test_a_candidate_without_gates_has_no_rows() -> None:
    assert published({"a": [(0.5, None), (0.5, None)]}) == {"a": []}


@given(
    st.lists(
        st.lists(st.floats(0, 1, width=32), min_size=12, max_size=12).filter(any),
        min_size=1,
        max_size=9,
    )
)
def test_shares_of_a_challenge_sum_to_1(gates: list[list[float]]) -> None:
    found = published({"a": [(1 / len(gates), each) for each in gates]})["a"]
    assert sum(share for _, share in found) == pytest.approx(1, abs=1e-9)
    for gate, share in found:
        assert 0 <= gate <= 1
        assert 0 <= share <= 1
        assert (gate == 0) == (share == 0)


def test_a_mean_of_ones_is_not_above_1() -> None:
    """Their weights, 243 as of level 3, sum to 1 and a rounding."""
    images: list[Image] = [(1 / 243 + 1e-17, [1.0])] * 243
    assert sum(weight for weight, _ in images) > 1
    assert published({"a": images})["a"] == [(1, 1)]
