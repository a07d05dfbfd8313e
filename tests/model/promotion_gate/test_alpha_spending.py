"""What challengers on one gate set may spend, however they resemble each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model.promotion_gate.alpha_spending import attempt_alpha, interval_level


@given(st.floats(0.001, 0.49), st.integers(1, 2000))
def test_however_many_come_they_spend_no_more_than_all_of_it(alpha: float, count: int) -> None:
    spent = [attempt_alpha(alpha, attempt) for attempt in range(1, count + 1)]
    # 1/2 + 1/6 + 1/12 + ... telescopes
    assert sum(spent) == pytest.approx(alpha * count / (count + 1))
    assert sum(spent) < alpha
    assert spent == sorted(spent, reverse=True)


def test_the_first_is_judged_by_an_interval_of_95_percent() -> None:
    assert interval_level(0.05, 1) == pytest.approx(0.95)
    assert interval_level(0.05, 10) == pytest.approx(1 - 0.1 / 110)
    with pytest.raises(ValueError, match="attempt is 0"):
        attempt_alpha(0.05, 0)


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
def test_ten_in_a_row_without_a_gain_promote_at_most_5_percent(shared: float) -> None:
    """Differences to one champion on one gate set share a part of their variance, or none."""
    rng = np.random.default_rng(0)
    sequences = 40_000
    common, own = rng.normal(size=(sequences, 1)), rng.normal(size=(sequences, 10))
    scores = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    limits = [stats.norm.isf(attempt_alpha(0.05, attempt)) for attempt in range(1, 11)]
    promoted = float((scores > limits).any(axis=1).mean())
    assert 0.02 < promoted < 0.05
    # without any correction that is what it would be
    assert (scores > stats.norm.isf(0.05)).any(axis=1).mean() > 0.1
