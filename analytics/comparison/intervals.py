"""Confidence intervals: of a share, and from bootstrap draws, one by one and simultaneous."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Interval = tuple[float, float]
"""Lower and upper end."""


# a page draws hundreds, the same at every click, and SciPy works out a p-value with each
@lru_cache(maxsize=10_000)
def wilson_interval(part: int, whole: int, level: float = 0.95) -> Interval:
    """Wilson's score interval (1927) of the share `part` / `whole`; 0..1 for a `whole` of 0."""
    # seconds to import, which no command's settings and `--help` are to wait for
    from scipy import stats  # noqa: PLC0415

    if whole == 0:
        return 0.0, 1.0
    share = stats.binomtest(part, whole)
    ends = share.proportion_ci(confidence_level=level, method="wilson")
    return float(ends.low), float(ends.high)


def clustered_wilson_interval(
    part: int, whole: int, variance: float, clusters: int, level: float = 0.95
) -> Interval:
    """Wilson's interval of the share `part` / `whole` of answers that come in clusters.

    With the effective number of answers, at most `whole`, that gives this variance, and Student's
    quantile (Dean and Pagano, Survey Methodology 2015). Where all or none are counted, each cluster
    is one answer.

    Args:
        part: answers counted.
        whole: all answers, at least 1.
        variance: of the share, as clusters vary: their squared residuals summed, over `whole`
            squared, times clusters / (clusters - 1).
        clusters: at least 2.
        level: 0..1.
    """
    share = part / whole
    binomial = share * (1 - share)
    effective = min(whole, binomial / variance) if variance > 0 and binomial else float(clusters)
    squared = student_quantile(level, clusters - 1) ** 2
    middle = (share + squared / (2 * effective)) / (1 + squared / effective)
    half = np.sqrt(squared * (binomial / effective + squared / (4 * effective**2)))
    half /= 1 + squared / effective
    low = 0.0 if part == 0 else float(middle - half)
    return low, 1.0 if part == whole else float(middle + half)


def student_quantile(level: float, freedom: int) -> float:
    """How many standard errors to each side hold an estimate with probability `level`, 0..1."""
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(stdtrit(freedom, (1 + level) / 2))


def newcombe_interval(
    part: int, whole: int, other_part: int, other_whole: int, level: float = 0.95
) -> Interval:
    """Newcombe's hybrid score interval (1998, method 10) of a difference of independent shares.

    Of `part` / `whole` minus `other_part` / `other_whole`; both wholes at least 1. Within -1..1,
    and no narrower where a share is 0 or 1, unlike the normal approximation.
    """
    share, other = part / whole, other_part / other_whole
    low, high = wilson_interval(part, whole, level)
    other_low, other_high = wilson_interval(other_part, other_whole, level)
    below = np.hypot(share - low, other_high - other)
    above = np.hypot(high - share, other - other_low)
    return float(share - other - below), float(share - other + above)


def clustered_mean_interval(
    clusters: int,
    total: float,
    count: int,
    squares: float,
    products: float,
    count_squares: int,
    level: float = 0.95,
) -> Interval | None:
    """Interval of a mean over values of clusters, such as source images, by linearisation.

    The mean is a ratio of two sums over clusters (Cochran 1977, section 6.4); Student's t with one
    degree of freedom less than clusters. None for fewer than two.

    Args:
        clusters: how many.
        total: the sum of values.
        count: how many values.
        squares: the sum over clusters of their totals squared.
        products: of their totals times their counts.
        count_squares: of their counts squared.
        level: 0..1.
    """
    # seconds to import, which no command's settings and `--help` are to wait for
    from scipy import stats  # noqa: PLC0415

    if clusters < 2:  # noqa: PLR2004
        return None
    mean = total / count
    residual = squares - 2 * mean * products + mean * mean * count_squares
    error = float(np.sqrt(max(0.0, residual) * clusters / (clusters - 1))) / count
    half = float(stats.t.isf((1 - level) / 2, clusters - 1)) * error
    return mean - half, mean + half


def centred_intervals(points: Floats, draws: Floats, level: float) -> Floats:
    """Percentile intervals of bootstrap draws, shifted from their mean to the estimate, (M, 2).

    A resampled sequence repeats challenges, so that its windows hold fewer different ones, vary
    more, and earn more of a cubed reward than those that were sent, however long the log is. Draws
    of rewards have that small bias, which the shift removes; accuracy and MCC hardly change.

    Args:
        points: (M,), point estimates.
        draws: (draws, M), the same statistic of every bootstrap draw.
        level: 0..1.
    """
    tail = (1 - level) / 2
    ends: Floats = np.quantile(draws - draws.mean(axis=0), [tail, 1 - tail], axis=0)
    return points[:, None] + ends.T


def simultaneous_intervals(points: Floats, draws: Floats, level: float) -> Floats:
    """Intervals that all hold at once with probability `level`, (M, 2).

    Max-t: the largest studentised error of a draw over all M bounds every error (Romano and Wolf
    2005). Unlike Bonferroni's they are no wider than needed where miners resemble each other.

    Args:
        points: (M,), point estimates.
        draws: (draws, M), the same statistic of every bootstrap draw.
        level: 0..1.
    """
    if not len(points):
        return np.empty((0, 2))
    errors, scale = np.abs(draws - draws.mean(axis=0)), draws.std(axis=0, ddof=1)
    studentised = np.divide(errors, scale, out=np.zeros_like(draws), where=scale > 0)
    half = np.quantile(studentised.max(axis=1), level) * scale
    return np.stack([points - half, points + half], axis=1)
