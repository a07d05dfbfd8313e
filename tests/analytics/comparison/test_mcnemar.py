import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.comparison.mcnemar import mcnemar
from analytics.comparison.multiple_tests import holm
from analytics.comparison.paired_answers import (
    Challenges,
    PairedAnswers,
    concatenated,
    single_answerer,
)


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
    silent = single_answerer(asked[0], np.full(len(asked[0]), -1.0))
    answers = concatenated([*map(single_answerer, asked, given_answers), silent])
    tests = mcnemar(PairedAnswers(challenges, answers), challenges.positive_shares())
    assert tests[3] is None
    expected = []
    for sent, values, test in zip(asked, given_answers, tests, strict=False):
        used = np.isfinite(values) & (values != -1)
        right = np.round(ours[sent][used]) == labels[sent][used]
        theirs = np.round(values[used]) == labels[sent][used]
        wins, losses = int((right & ~theirs).sum()), int((theirs & ~right).sum())
        if test is None:
            assert not used.any()
            continue
        assert (test.candidate_only, test.miner_only) == (wins, losses)
        p = stats.binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1.0
        assert test.p == pytest.approx(p)
        expected.append(p)
    corrected = [test.holm_p for test in tests if test is not None]
    assert corrected == pytest.approx(list(holm(np.array(expected))))
