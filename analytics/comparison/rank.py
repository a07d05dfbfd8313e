"""A candidate's rank among miners, and the interval of that rank."""

from dataclasses import dataclass

from analytics.comparison.intervals import simultaneous_intervals
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class Rank:
    """A place among `of` (the one placed among them), 1 = best, and its interval, both ends in it.

    `left_out` are those that were not placed, for too few source images.
    """

    rank: int
    best: int
    worst: int
    of: int
    left_out: int


def rank(differences: Floats, draws: Floats, level: float, left_out: int = 0) -> Rank:
    """Where a candidate stands among M miners, each compared on that miner's own challenges.

    A rank is 1 + the miners ahead of it. It is at best 1 + those surely ahead, at worst 1 + those
    not surely behind, by `simultaneous_intervals`: so all of it holds with probability `level`.

    Args:
        differences: (M,), candidate minus miner.
        draws: (draws, M), likewise.
        level: 0..1.
        left_out: miners that are not among the M.
    """
    low, high = simultaneous_intervals(differences, draws, level).T
    return Rank(
        rank=1 + int((differences < 0).sum()),
        best=1 + int((high < 0).sum()),
        worst=1 + int((low <= 0).sum()),
        of=1 + len(differences),
        left_out=left_out,
    )
