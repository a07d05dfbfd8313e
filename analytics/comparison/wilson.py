"""The interval of a share that is never outside 0..1: Wilson's."""

import math

from scipy import stats

Interval = tuple[float, float]


def wilson_interval(part: int, whole: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share, 0..1 (Wilson 1927); all of it for a `whole` of 0."""
    if whole == 0:
        return 0.0, 1.0
    z = float(stats.norm.ppf((1 + level) / 2))
    share, extra = part / whole, z * z / whole
    middle = (share + extra / 2) / (1 + extra)
    half = z * math.sqrt(share * (1 - share) / whole + extra / (4 * whole)) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)
