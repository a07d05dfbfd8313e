"""Confidence intervals: of a share, and from bootstrap draws, one by one and simultaneous."""

import numpy as np
from scipy import stats

from analytics.scoring.metrics import Floats

Interval = tuple[float, float]
"""Its lower and its upper end."""


def wilson_interval(part: int, whole: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share, 0..1 (Wilson 1927); all of it for a `whole` of 0."""
    if whole == 0:
        return 0.0, 1.0
    share = stats.binomtest(part, whole)
    ends = share.proportion_ci(confidence_level=level, method="wilson")
    return float(ends.low), float(ends.high)


def centred_intervals(points: Floats, draws: Floats, level: float) -> Floats:
    """(M, 2), percentile intervals of the draws, moved so that they centre on what was found.

    A drawn sequence repeats challenges, so that its windows hold fewer different ones, vary more,
    and earn more of a cubed reward than those that were sent, however long the log is. So draws of
    rewards are off by a little, which moving takes away; those of accuracy and MCC hardly move.

    Args:
        points: (M,), what was found.
        draws: (draws, M), the same of every draw.
        level: 0..1.
    """
    tail = (1 - level) / 2
    ends: Floats = np.quantile(draws - draws.mean(axis=0), [tail, 1 - tail], axis=0)
    return points[:, None] + ends.T


def simultaneous_intervals(points: Floats, draws: Floats, level: float) -> Floats:
    """(M, 2), intervals that all hold at once with probability `level`; arguments as above.

    The largest studentised error of a draw over all M bounds every error (max-t; Romano and Wolf
    2005): as strict as it must be and, unlike Bonferroni's, no stricter where miners resemble each
    other.
    """
    if not len(points):
        return np.empty((0, 2))
    errors, scale = np.abs(draws - draws.mean(axis=0)), draws.std(axis=0, ddof=1)
    studentised = np.divide(errors, scale, out=np.zeros_like(draws), where=scale > 0)
    half = np.quantile(studentised.max(axis=1), level) * scale
    return np.stack([points - half, points + half], axis=1)
