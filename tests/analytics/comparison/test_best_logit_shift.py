from dataclasses import replace

import numpy as np
import pytest

from analytics.comparison.best_logit_shift import best_logit_shift
from analytics.comparison.bootstrap import BootstrapSettings
from tests.analytics.comparison.simulated_answers import shifted_candidate

SETTINGS = BootstrapSettings(draws=50)


def test_a_shifted_logit_is_shifted_back_and_evaluated_on_later_challenges() -> None:
    challenges = shifted_candidate(-3.0)
    earlier = np.arange(1200) < 600
    result = best_logit_shift(challenges, earlier, SETTINGS)
    assert result is not None
    assert result.shift == pytest.approx(3.0, abs=0.8)
    assert result.shift == pytest.approx(-np.log(result.threshold / (1 - result.threshold)))
    assert (result.earlier_n, result.later_n) == (600, 600)
    assert result.interval is not None
    assert 0 < result.interval[0] < result.difference < result.interval[1]
    assert result.difference == pytest.approx(result.reward - result.unshifted)


def test_nothing_to_gain_is_no_shift() -> None:
    challenges = shifted_candidate(0.0)
    perfect = replace(challenges, probabilities=challenges.labels.astype(np.float64) * 0.8 + 0.1)
    result = best_logit_shift(perfect, np.arange(1200) < 600, SETTINGS)
    assert result is not None
    assert (result.shift, result.threshold, result.difference) == (0.0, 0.5, 0.0)
    assert result.interval == (0.0, 0.0)
    assert best_logit_shift(perfect, np.ones(1200, np.bool_), SETTINGS) is None
