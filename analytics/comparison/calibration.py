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
from analytics.numba_loops import compiled
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
    cells = _cells(challenges)
    images = challenges.image_count
    once = np.ones(images, np.uint8)
    total = cells.summed(once)
    draws = _drawn(cells, images, settings)
    return Calibration(
        n=challenges.count,
        error=float(_errors(total[None])[0]),
        error_interval=_error_interval(total, draws, images, settings),
        bins=[_bin(number, cells, total, draws, settings) for number in range(BINS)],
    )


@dataclass(frozen=True)
class _Cells:
    """Sums of an image's answers in a bin, for each of n pairs of them that has one, by image.

    `image` and `bin` are (n,); `sums` (n, 3): weights of variants, and weighted answers and labels.
    """

    image: NDArray[np.int64]
    bin: NDArray[np.int64]
    sums: Floats

    def summed(self, repeats: NDArray[np.uint8]) -> Floats:
        """(bins, 3), with each source image as often as `repeats`, (I,), says.

        Added up image by image: no linear algebra library of the machine decides a last bit.
        """
        totals = np.zeros((BINS, self.sums.shape[1]))
        _sum(self.image, self.bin, self.sums, repeats, totals)
        return totals


def _cells(challenges: Challenges) -> _Cells:
    sizes = np.diff(challenges.starts)
    bin_of = np.minimum((challenges.probabilities * BINS).astype(np.int64), BINS - 1)
    cell = np.repeat(challenges.images.astype(np.int64) * BINS, sizes) + bin_of
    held = np.zeros(challenges.image_count * BINS, np.bool_)
    held[cell] = True
    number = np.cumsum(held) - 1
    kept = np.flatnonzero(held)
    cell = number[cell]
    values = (None, challenges.probabilities, np.repeat(challenges.labels, sizes))
    weights = challenges.weights
    sums = [
        np.bincount(cell, weights if value is None else weights * value, len(kept))
        for value in values
    ]
    return _Cells(kept // BINS, kept % BINS, np.stack(sums, axis=-1).astype(np.float64))


@compiled
def _sum(
    image: NDArray[np.int64],
    bins: NDArray[np.int64],
    sums: Floats,
    repeats: NDArray[np.uint8],
    totals: Floats,
) -> None:
    for cell in range(len(image)):
        times = repeats[image[cell]]
        for column in range(sums.shape[1]):
            totals[bins[cell], column] += times * sums[cell, column]


def _drawn(cells: _Cells, images: int, settings: BootstrapSettings) -> Floats:
    """(draws, bins, 3), the sums over the source images of every draw; none of too few."""
    if images < MIN_IMAGES:
        return np.empty((0, BINS, cells.sums.shape[1]))

    def draw(number: int) -> Floats:
        return cells.summed(image_repeats(images, settings, number))

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
    number: int, cells: _Cells, total: Floats, draws: Floats, settings: BootstrapSettings
) -> Bin:
    count, probability, roadwork = total[number]
    interval = None
    if np.count_nonzero(cells.sums[cells.bin == number, _COUNT]) >= MIN_IMAGES:
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
