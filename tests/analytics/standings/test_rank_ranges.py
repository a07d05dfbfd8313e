"""Ranges of ranks: what they hold, and how often they hold the truth."""

import numpy as np
import pytest

from analytics.standings.rank_ranges import rank_ranges


def test_surely_apart_and_surely_not() -> None:
    values = np.array([0.9, 0.5, 0.52, 0.1])
    ranges = rank_ranges(values, values - 0.05, values + 0.05)
    assert ranges.tolist() == [[1, 1], [2, 3], [2, 3], [4, 4]]


def test_wide_intervals_say_nothing() -> None:
    values = np.array([0.9, 0.5, 0.1])
    ranges = rank_ranges(values, np.full(3, -1.0), np.full(3, 1.0))
    assert ranges.tolist() == [[1, 3]] * 3


@pytest.mark.parametrize("count", [0, 1])
def test_one_or_none(count: int) -> None:
    one = np.full(count, 0.5)
    assert rank_ranges(one, one, one).tolist() == [[1, 1]] * count


def test_holds_the_true_rank_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    truth = np.linspace(0.3, 0.8, 12)
    ranks = 12 - np.arange(12)
    held = []
    for _ in range(300):
        values = truth + generator.normal(0, 0.05, 12)
        half = 1.959964 * 0.05
        best, worst = rank_ranges(values, values - half, values + half).T
        held.append((best <= ranks) & (ranks <= worst))
    assert np.mean(held, axis=0).min() >= 0.94


def test_is_never_without_the_rank_of_the_estimates() -> None:
    generator = np.random.default_rng(1)
    values = generator.random(30)
    low, high = values - 0.1 * generator.random(30), values + 0.1 * generator.random(30)
    best, worst = rank_ranges(values, low, high).T
    rank = 1 + (values[None, :] > values[:, None]).sum(axis=1)
    assert (best <= rank).all()
    assert (rank <= worst).all()
