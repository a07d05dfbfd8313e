"""A candidate's rank among miners, and the interval of that rank."""

from dataclasses import dataclass

from analytics.comparison.intervals import simultaneous_intervals
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class Rank:
    """A rank among `of`, the candidate included, 1 = best, and its interval, `best`..`worst`.

    `left_out` counts miners that are not among them, as they answered too few source images.
    """

    rank: int
    best: int
    worst: int
    of: int
    left_out: int


def rank(differences: Floats, draws: Floats, level: float, left_out: int = 0) -> Rank:
    """The rank of a candidate among M miners, each compared on that miner's own challenges.

    The rank is 1 + the miners ahead. Its interval goes from 1 + those whose simultaneous interval
    lies below 0 to 1 + those whose interval does not lie above 0, and so holds with probability
    `level`.

    Args:
        differences: (M,), candidate minus miner.
        draws: (draws, M), the same of every bootstrap draw.
        level: 0..1.
        left_out: number of miners that are not among the M.
    """
    low, high = simultaneous_intervals(differences, draws, level).T
    return Rank(
        rank=1 + int((differences < 0).sum()),
        best=1 + int((high < 0).sum()),
        worst=1 + int((low <= 0).sum()),
        of=1 + len(differences),
        left_out=left_out,
    )
