import math

import numpy as np
import pytest
from scipy import stats

from analytics.comparison.intervals import (
    centred_intervals,
    clustered_mean_interval,
    newcombe_interval,
    simultaneous_intervals,
    wilson_interval,
)
from analytics.scoring.metrics import Floats


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
@pytest.mark.parametrize(
    ("part", "whole"), [(0, 1), (1, 1), (0, 5), (5, 5), (3, 17), (400, 1000), (10**6, 10**6)]
)
def test_the_interval_of_a_share_is_wilsons(part: int, whole: int, level: float) -> None:
    """His formula, as written out in Wilson (1927)."""
    z = float(stats.norm.ppf((1 + level) / 2))
    share, extra = part / whole, z * z / whole
    middle = (share + extra / 2) / (1 + extra)
    half = z * math.sqrt(share * (1 - share) / whole + extra / (4 * whole)) / (1 + extra)
    expected = (middle - half, middle + half)

    assert wilson_interval(part, whole, level) == pytest.approx(expected, abs=1e-12)


def test_nothing_is_known_of_a_share_of_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0000)),
        ((10, 10, 0, 10), (0.6075, 1.0000)),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(
    counts: tuple[int, int, int, int], expected: tuple[float, float]
) -> None:
    """The eight examples of Newcombe (1998), table II, method 10."""
    assert newcombe_interval(*counts) == pytest.approx(expected, abs=6e-5)


def draws_around(points: Floats, scale: float, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(points + rng.normal(0, scale, (4000, len(points))))


def test_an_interval_centres_on_what_was_found_though_its_draws_do_not() -> None:
    points = np.array([0.2, -0.1])
    ends = centred_intervals(points, draws_around(points, 0.05) + 0.3, 0.95)
    assert ends == pytest.approx(points[:, None] + [[-0.098, 0.098]] * 2, abs=0.006)


def test_simultaneous_intervals_are_as_wide_as_the_largest_of_independent_errors() -> None:
    points = np.linspace(-1, 1, 20)
    low, high = simultaneous_intervals(points, draws_around(points, 0.1), 0.95).T
    # Šidák's, as these are independent
    z = stats.norm.ppf((1 + 0.95 ** (1 / 20)) / 2)
    assert (high - low) / 2 == pytest.approx(np.full(20, z * 0.1), rel=0.05)


def test_equal_errors_need_no_wider_intervals_than_one_has() -> None:
    points = np.linspace(-1, 1, 20)
    draws = points + draws_around(np.zeros(1), 0.1)
    low, high = simultaneous_intervals(points, draws, 0.95).T
    assert (high - low) / 2 == pytest.approx(np.full(20, 1.96 * 0.1), rel=0.05)


def test_a_clustered_mean_of_single_values_is_students_and_repeats_change_nothing() -> None:
    values = np.random.default_rng(0).random(30)
    low, high = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    for repeats in (1, 5):
        found = clustered_mean_interval(
            clusters=30,
            total=repeats * values.sum(),
            count=30 * repeats,
            squares=repeats**2 * (values**2).sum(),
            products=repeats**2 * values.sum(),
            count_squares=30 * repeats**2,
        )
        assert found == pytest.approx((low, high))
    assert clustered_mean_interval(1, 2.0, 3, 4.0, 6.0, 9) is None


def test_a_clustered_mean_covers_the_truth_about_as_often_as_it_says() -> None:
    """Clusters of 1 to 6 values that share most of what they are."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(400):
        sizes = rng.integers(1, 7, 40)
        totals = sizes * rng.normal(size=40) + rng.normal(scale=0.3, size=40)
        found = clustered_mean_interval(
            40,
            float(totals.sum()),
            int(sizes.sum()),
            float((totals**2).sum()),
            float((totals * sizes).sum()),
            int((sizes**2).sum()),
        )
        held += found is not None and found[0] <= 0 <= found[1]
    assert 0.91 <= held / 400 <= 0.98
