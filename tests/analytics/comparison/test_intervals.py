import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.comparison.holm import holm
from analytics.comparison.intervals import centred_intervals, rank, simultaneous_intervals
from analytics.comparison.mcnemar import mcnemar
from analytics.comparison.paired_answers import Challenges, Paired, answerer, joined
from analytics.scoring.metrics import Floats


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


def test_rank_counts_who_is_ahead_and_who_surely_is() -> None:
    points = np.array([-0.5, -0.01, 0.01, 0.5, 0.0])
    draws = draws_around(points, 0.05)
    draws[:, 4] = 0.0  # the same answers: neither ahead nor behind
    found = rank(points, draws, 0.95, left_out=3)
    assert (found.rank, found.best, found.worst) == (3, 2, 5)
    assert (found.of, found.left_out) == (6, 3)


def test_rank_among_nobody() -> None:
    found = rank(np.empty(0), np.empty((100, 0)), 0.95)
    assert (found.rank, found.best, found.worst, found.of) == (1, 1, 1, 1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mcnemar_is_scipys_binomial_test_and_holm_holds_over_miners(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 40
    labels = rng.integers(0, 2, count).astype(np.int8)
    ours = rng.random(count)
    challenges = Challenges(
        labels,
        np.arange(count, dtype=np.int32),
        np.full(count, 3, np.int8),
        np.arange(count + 1),
        ours,
        np.ones(count),
        np.zeros(count, np.int32),
    )
    asked = [np.flatnonzero(rng.random(count) < 0.5).astype(np.int32) for _ in range(3)]
    given_answers = [rng.choice([0.2, 0.5, 0.9, 1.7, -1.0, np.nan], len(a)) for a in asked]
    silent = answerer(asked[0], np.full(len(asked[0]), -1.0))
    answers = joined([*map(answerer, asked, given_answers), silent])
    found = mcnemar(Paired(challenges, answers), challenges.shares())
    assert found[3] is None
    expected = []
    for sent, values, one in zip(asked, given_answers, found, strict=False):
        used = np.isfinite(values) & (values != -1)
        right = np.round(ours[sent][used]) == labels[sent][used]
        theirs = np.round(values[used]) == labels[sent][used]
        wins, losses = int((right & ~theirs).sum()), int((theirs & ~right).sum())
        if one is None:
            assert not used.any()
            continue
        assert (one.candidate_only, one.miner_only) == (wins, losses)
        p = stats.binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1.0
        assert one.p == pytest.approx(p)
        expected.append(p)
    corrected = [one.holm_p for one in found if one is not None]
    assert corrected == pytest.approx(list(holm(np.array(expected))))
