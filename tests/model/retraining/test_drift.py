import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model.retraining.drift import count_drift, mean_drift

COUNTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=6)


@given(COUNTS)
def test_a_drift_is_a_share_that_has_to_move(counts: list[tuple[int, int]]) -> None:
    before, after = np.array(counts).T
    drift = count_drift(before, after, 0)
    assert (drift.before, drift.after) == (before.sum(), after.sum())
    assert 0 <= drift.size <= 1 + 1e-12
    assert 0 < drift.p_value <= 1
    assert 0 <= drift.beyond_chance <= drift.size
    back = count_drift(after, before, 0)
    assert back.size == pytest.approx(drift.size, abs=1e-12)


def test_the_difference_of_a_rate_is_tested_as_fisher_does() -> None:
    before, after = np.array([30, 170]), np.array([55, 145])
    drift = count_drift(before, after, 0)
    assert drift.size == pytest.approx(55 / 200 - 30 / 200)
    assert drift.p_value == pytest.approx(stats.fisher_exact([before, after]).pvalue, abs=0.004)


def test_rows_that_are_one_category_each_drift_as_their_counts_do() -> None:
    before, after = np.array([40, 30, 10]), np.array([30, 20, 25])
    rows = [np.repeat(np.eye(3), counts, axis=0) for counts in (before, after)]
    means, counts = mean_drift(rows[0], rows[1], 0), count_drift(before, after, 0)
    assert means.size == pytest.approx(counts.size)
    assert means.chance == pytest.approx(counts.chance, abs=0.005)
    assert means.p_value == pytest.approx(counts.p_value, abs=0.02)


def test_chance_alone_is_no_drift() -> None:
    rng = np.random.default_rng(0)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    drifts = [
        count_drift(rng.multinomial(150, shares), rng.multinomial(80, shares), seed)
        for seed in range(200)
    ]
    # its size is never 0, so its mean has to be taken off
    assert np.mean([drift.size for drift in drifts]) > 0.05
    assert np.mean([drift.size - drift.chance for drift in drifts]) == pytest.approx(0, abs=0.005)
    assert np.mean([drift.p_value < 0.05 for drift in drifts]) == pytest.approx(0.05, abs=0.04)


def test_a_period_without_challenges_has_not_drifted() -> None:
    nothing = count_drift(np.array([0, 0]), np.array([3, 4]), 0)
    assert (nothing.size, nothing.p_value) == (0.0, 1.0)
    assert mean_drift(np.empty((0, 12)), np.ones((4, 12)) / 12, 0).size == 0.0
