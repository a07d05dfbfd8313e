"""Intervals from bootstrap draws, one by one and together, and where they put someone's rank."""

from dataclasses import dataclass

import numpy as np

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
