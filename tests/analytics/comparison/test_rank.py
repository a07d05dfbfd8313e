import numpy as np

from analytics.comparison.rank import rank


def test_rank_counts_who_is_ahead_and_who_surely_is() -> None:
    points = np.array([-0.5, -0.01, 0.01, 0.5, 0.0])
    draws = points + np.random.default_rng(0).normal(0, 0.05, (4000, len(points)))
    draws[:, 4] = 0.0  # the same answers: neither ahead nor behind
    ranked = rank(points, draws, 0.95, left_out=3)
    assert (ranked.rank, ranked.best, ranked.worst) == (3, 2, 5)
    assert (ranked.of, ranked.left_out) == (6, 3)


def test_rank_among_nobody() -> None:
    ranked = rank(np.empty(0), np.empty((100, 0)), 0.95)
    assert (ranked.rank, ranked.best, ranked.worst, ranked.of) == (1, 1, 1, 1)
