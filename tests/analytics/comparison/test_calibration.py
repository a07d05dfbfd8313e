from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap

from analytics.comparison.bootstrap import BootstrapSettings
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


def test_intervals_are_those_of_scipys_bootstrap_of_shares() -> None:
    """Each image is one challenge here, so that shares in a bin are plain binomial."""
    challenges = shifted_candidate(-1.0)
    alone = replace(challenges, images=np.arange(challenges.count, dtype=np.int32))
    result = calibration(alone, BootstrapSettings(draws=4000))
    bin_of = np.minimum((alone.probabilities * 10).astype(int), 9)
    for number, one_bin in enumerate(result.bins):
        labels = alone.labels[bin_of == number].astype(float)
        if len(labels) < 40:
            continue
        assert one_bin.roadwork_interval is not None
        oracle = bootstrap(
            (labels,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(1)
        ).confidence_interval
        assert one_bin.roadwork_interval == pytest.approx(tuple(oracle), abs=0.03)
    assert result.error_interval is not None
    low, high = result.error_interval
    assert 0 <= low < result.error < high


def test_too_few_images_get_no_interval() -> None:
    challenges = shifted_candidate(-1.0)
    few = replace(challenges, images=challenges.images % 9)
    result = calibration(few)
    assert result.error_interval is None
    assert all(one_bin.roadwork_interval is None for one_bin in result.bins)
