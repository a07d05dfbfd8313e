"""How far a candidate's probabilities are from what happens: reliability bins and their error."""

from dataclasses import dataclass

import numpy as np

from analytics.comparison.paired_answers import Challenges

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Answers from `low` to `high` (the last bin holds 1 too).

    `n` counts answers, those to possible images by their weights; `probability` is their mean and
    `roadwork` the share of them that are label 1; None for no answers.
    """

    low: float
    high: float
    n: float
    probability: float | None
    roadwork: float | None


@dataclass(frozen=True)
class Calibration:
    """The reliability curve and the expected calibration error, 0..1, over `n` challenges.

    The error is the mean over answers of |probability - share of roadwork| of their bin (Naeini et
    al. 2015); it shrinks with fewer bins and grows with few answers a bin, so read it with n.
    """

    n: int
    error: float
    bins: list[Bin]


def calibration(challenges: Challenges) -> Calibration:
    """Bin the candidate's answers to every possible image; an empty set has error NaN."""
    sizes = np.diff(challenges.starts)
    labels = np.repeat(challenges.labels, sizes)
    places = np.minimum((challenges.probabilities * BINS).astype(int), BINS - 1)
    counts, probability, roadwork = (
        np.bincount(places, challenges.weights * value, BINS)
        for value in (np.ones(len(labels)), challenges.probabilities, labels)
    )
    bins = [
        Bin(
            k / BINS,
            (k + 1) / BINS,
            float(counts[k]),
            float(probability[k] / counts[k]) if counts[k] else None,
            float(roadwork[k] / counts[k]) if counts[k] else None,
        )
        for k in range(BINS)
    ]
    total = counts.sum()
    error = float(np.abs(probability - roadwork).sum() / total) if total else float("nan")
    return Calibration(challenges.count, error, bins)
