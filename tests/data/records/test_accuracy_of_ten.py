"""Accuracy over the last ten answers, recovered from a reward and an MCC."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records.accuracy_of_ten import SHORT_WINDOW, accuracy_of_ten, least_answers


def recovered(reward: float, mcc: float, exponent: int) -> Fraction | None:
    """The fraction in lowest terms, None where none fits."""
    accuracy = accuracy_of_ten(reward, mcc, exponent)
    answers = least_answers(accuracy, SHORT_WINDOW)
    if answers == 0:
        return None
    fraction = Fraction(round(accuracy * answers), answers)
    assert fraction.denominator == answers
    return fraction


def test_the_real_record_gives_all_ten(record: dict[str, Any]) -> None:
    for reward, mcc in zip(record["rewards"], record["miner_image_mcc"], strict=True):
        assert recovered(reward, mcc, 3) == Fraction(1)


@given(st.integers(1, 10), st.data(), st.floats(0, 1), st.sampled_from([1, 3]))
def test_a_fraction_comes_back_from_its_reward(
    answers: int, data: st.DataObject, mcc: float, exponent: int
) -> None:
    right = data.draw(st.integers(0, answers))
    reward = (0.5 * mcc + 0.5 * right / answers) ** exponent
    if reward > 1e-9:
        assert recovered(reward, mcc, exponent) == Fraction(right, answers)


@pytest.mark.parametrize("reward", [0.5126, 1.2])
def test_no_fraction_is_made_up(reward: float) -> None:
    assert recovered(reward, 0.3, 3) is None


@pytest.mark.parametrize("accuracy", [float("nan"), float("inf"), -0.1, 1.1])
def test_what_is_no_accuracy_is_no_fraction(accuracy: float) -> None:
    assert least_answers(accuracy, SHORT_WINDOW) == 0
