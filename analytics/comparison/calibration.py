"""Calibration of a candidate: bins of the reliability diagram, and expected calibration error."""

from dataclasses import dataclass

import numpy as np

from analytics.comparison.paired_answers import Challenges

BINS = 10


@dataclass(frozen=True)
class Bin:
    """One bin of the reliability diagram: answers from `low` to below `high`; the last holds 1 too.

    `n` counts challenges, their variants by weight; `probability` is the mean answer and `roadwork`
    the share with label 1; None for no answers.
    """

    low: float
    high: float
    n: float
    probability: float | None
    roadwork: float | None


@dataclass(frozen=True)
class Calibration:
    """Bins of the reliability diagram and the expected calibration error, 0..1, of `n` challenges.

    The error is the mean over answers of their bin's |probability - share of roadwork| (Naeini et
    al. 2015). It shrinks with fewer bins and grows with fewer answers in a bin: read it with n.
    """

    n: int
    error: float
    bins: list[Bin]


def calibration(challenges: Challenges) -> Calibration:
    """Bin the candidate's answers to every variant; the error is NaN without challenges."""
    sizes = np.diff(challenges.starts)
    labels = np.repeat(challenges.labels, sizes)
    bin_of = np.minimum((challenges.probabilities * BINS).astype(int), BINS - 1)
    counts, probability, roadwork = (
        np.bincount(bin_of, challenges.weights * values, BINS)
        for values in (np.ones(len(labels)), challenges.probabilities, labels)
    )
    bins = [
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            n=float(counts[number]),
            probability=float(probability[number] / counts[number]) if counts[number] else None,
            roadwork=float(roadwork[number] / counts[number]) if counts[number] else None,
        )
        for number in range(BINS)
    ]
    total = counts.sum()
    error = float(np.abs(probability - roadwork).sum() / total) if total else float("nan")
    return Calibration(challenges.count, error, bins)
