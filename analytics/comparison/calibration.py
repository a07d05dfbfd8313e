"""Calibration of a candidate: bins of the reliability diagram, and expected calibration error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    image_repeats,
    in_threads,
)
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import Challenges
from analytics.scoring.metrics import Floats

BINS = 10
_COUNT, _PROBABILITY, _ROADWORK = 0, 1, 2


@dataclass(frozen=True)
class Bin:
    """One bin of the reliability diagram: answers from `low` to below `high`; the last holds 1 too.

    `n` counts challenges, their variants by weight; `probability` is the mean answer and `roadwork`
    the share with label 1; None for no answers. `roadwork_interval` is over source images, None for
    fewer than 10 in the bin.
    """

    low: float
    high: float
    n: float
    probability: float | None
    roadwork: float | None
    roadwork_interval: Interval | None


@dataclass(frozen=True)
class Calibration:
    """Bins of the reliability diagram and the expected calibration error, 0..1, of `n` challenges.

    The error is the mean over answers of their bin's |probability - share of roadwork| (Naeini et
    al. 2015). It shrinks with fewer bins and grows with fewer answers in a bin: read it with n.
    `error_interval` is over source images, None for fewer than 10. Resampling widens the gaps of
    bins, so draws are shifted to the estimate; the interval is cut at 0.
    """

    n: int
    error: float
    error_interval: Interval | None
    bins: list[Bin]


def calibration(
    challenges: Challenges, settings: BootstrapSettings = BootstrapSettings()
) -> Calibration:
    """Bin the candidate's answers to every variant; the error is NaN without challenges."""
    sums = _sums_by_image(challenges)
    total = sums.sum(axis=0)
    draws = _drawn(sums, settings)
    return Calibration(
        n=challenges.count,
        error=float(_errors(total[None])[0]),
        error_interval=_error_interval(total, draws, len(sums), settings),
        bins=[_bin(number, sums, total, draws, settings) for number in range(BINS)],
    )


def _sums_by_image(challenges: Challenges) -> Floats:
    """(source images, bins, 3): weighted counts, and sums of answers and of labels."""
    sizes = np.diff(challenges.starts)
    labels, images = np.repeat(challenges.labels, sizes), np.repeat(challenges.images, sizes)
    bin_of = np.minimum((challenges.probabilities * BINS).astype(int), BINS - 1)
    cells = images * BINS + bin_of
    sums = [
        np.bincount(cells, challenges.weights * values, challenges.image_count * BINS)
        for values in (np.ones(len(labels)), challenges.probabilities, labels)
    ]
    shape = (challenges.image_count, BINS, len(sums))
    return np.stack(sums, axis=-1).astype(np.float64).reshape(shape)


def _drawn(sums: Floats, settings: BootstrapSettings) -> Floats:
    """(draws, bins, 3), the sums over the source images of every draw; none of too few."""
    if len(sums) < MIN_IMAGES:
        return np.empty((0, *sums.shape[1:]))

    def draw(number: int) -> Floats:
        repeats: NDArray[np.float64] = image_repeats(len(sums), settings, number).astype(float)
        return np.asarray(np.tensordot(repeats, sums, axes=1))

    return np.stack(in_threads(draw, range(settings.draws), settings.threads))


def _errors(sums: Floats) -> Floats:
    """(draws,), of (draws, bins, 3)."""
    gaps = np.abs(sums[..., _PROBABILITY] - sums[..., _ROADWORK]).sum(axis=-1)
    counts = sums[..., _COUNT].sum(axis=-1)
    errors: Floats = np.divide(gaps, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return errors


def _error_interval(
    total: Floats, draws: Floats, images: int, settings: BootstrapSettings
) -> Interval | None:
    if images < MIN_IMAGES:
        return None
    [(low, high)] = centred_intervals(_errors(total[None]), _errors(draws)[:, None], settings.level)
    return max(0.0, float(low)), float(high)


def _bin(
    number: int, sums: Floats, total: Floats, draws: Floats, settings: BootstrapSettings
) -> Bin:
    count, probability, roadwork = total[number]
    interval = None
    if np.count_nonzero(sums[:, number, _COUNT]) >= MIN_IMAGES:
        drawn = draws[:, number]
        share = roadwork / count
        # a draw without an answer in the bin says nothing of it
        shares = np.divide(
            drawn[:, _ROADWORK],
            drawn[:, _COUNT],
            out=np.full(len(drawn), share),
            where=drawn[:, _COUNT] > 0,
        )
        [(low, high)] = centred_intervals(np.array([share]), shares[:, None], settings.level)
        interval = max(0.0, float(low)), min(1.0, float(high))
    return Bin(
        low=number / BINS,
        high=(number + 1) / BINS,
        n=float(count),
        probability=float(probability / count) if count else None,
        roadwork=float(roadwork / count) if count else None,
        roadwork_interval=interval,
    )
