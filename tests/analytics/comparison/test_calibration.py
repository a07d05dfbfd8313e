from dataclasses import replace

import numpy as np
import pytest

from analytics.comparison.calibration import calibration
from tests.analytics.comparison.simulated_answers import shifted_candidate


def test_calibration_is_the_mean_gap_of_its_bins() -> None:
    challenges = shifted_candidate(-1.0)
    result = calibration(challenges)
    bin_of = np.minimum((challenges.probabilities * 10).astype(int), 9)
    gap = 0.0
    for number, one_bin in enumerate(result.bins):
        inside = bin_of == number
        assert one_bin.n == inside.sum()
        assert one_bin.probability == pytest.approx(challenges.probabilities[inside].mean())
        assert one_bin.roadwork == pytest.approx(challenges.labels[inside].mean())
        gap += (
            abs(challenges.probabilities[inside].mean() - challenges.labels[inside].mean())
            * one_bin.n
        )
    assert result.error == pytest.approx(gap / 1200)
    assert result.n == 1200
    # right on average in every bin: no error
    honest = replace(challenges, probabilities=np.full(1200, challenges.labels.mean()))
    assert calibration(honest).error == pytest.approx(0.0)
    assert calibration(honest).bins[9].probability is None
