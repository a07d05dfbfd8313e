"""Between which ranks a miner surely stands, from the intervals of all miners' MCCs.

A difference of two has the interval of Zou and Donner's MOVER (2008): from the distances of both
ends from their estimates, as if the two were independent. They are not quite, for miners are asked
some of the same images; that makes differences steadier, so that ranges are rather too wide. The
intervals are widened for all comparisons of one miner at once (Bonferroni).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analytics.scoring.metrics import Floats

Ranks = NDArray[np.int64]


def rank_ranges(values: Floats, lows: Floats, highs: Floats, level: float = 0.95) -> Ranks:
    """The best and the worst rank of each of M, (M, 2); 1 = highest value.

    From 1 + those surely above it to 1 + those not surely below it. Each one's range holds with
    probability `level` on its own.

    Args:
        values: (M,), estimates.
        lows: (M,), lower ends of their intervals of this level.
        highs: (M,), upper ends.
        level: 0..1.
    """
    count = len(values)
    if count < 2:  # noqa: PLR2004
        return np.ones((count, 2), np.int64)
    tail = (1 - level) / 2
    wider = float(stats.norm.isf(tail / (count - 1)) / stats.norm.isf(tail))
    below, above = wider * (values - lows), wider * (highs - values)
    ranges = np.empty((count, 2), np.int64)
    # a row at a time: all pairs of thousands of miners would take gigabytes
    for row in range(count):
        difference = values - values[row]
        surely_above = difference > np.hypot(below, above[row])
        surely_below = -difference > np.hypot(above, below[row])
        ranges[row] = 1 + surely_above.sum(), count - surely_below.sum()
    return ranges
