"""How often each two miners' answers tie on the challenges they share, and how often by chance.

Chance: two miners who answer apart tie as often as an answer of one and an answer of the other to
different challenges of the same kind do. A kind is a label and how many of its miners were wrong:
given that count, a Rasch model's answers no longer depend on the difficulty (Rasch 1960), so that
two good miners, or two who say only 0 and 1, are not alike for being right on easy challenges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.miners.answers import Flags, Indices, MinerAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats

Counts = NDArray[np.int32]

# answers are rounded to a quarter of the tolerance, so that chance can be counted, not guessed
_CELLS_A_TOLERANCE = 4
# upper ends of the share of wrong answers that makes a kind of challenge
_WRONG_SHARES = (0.0, 0.1, 0.2, 0.3, 0.5)
_KINDS = 2 * (len(_WRONG_SHARES) + 1)


@dataclass(frozen=True)
class PairTies:
    """Of pairs of miners: (miners, miners), the upper triangle filled, or (pairs,) of chosen ones.

    `shared` challenges that both answered, `ties` among them, and `expected` ties by chance.
    """

    shared: Counts
    ties: Counts
    expected: Floats


def pair_ties(answers: MinerAnswers, tolerance: float) -> PairTies:
    """Count ties of every pair: answers in 0..1 that differ by `tolerance` at most.

    Args:
        answers: those outside 0..1 are passed over.
        tolerance: 0..1; answers are rounded to a quarter of it first.
    """
    within = answers.only((answers.prediction >= 0) & (answers.prediction <= 1))
    cells = np.rint(within.prediction / (tolerance / _CELLS_A_TOLERANCE)).astype(np.int64)
    kinds = _kinds(within)
    miners = len(within.miners)
    ties = np.zeros((miners, miners), np.int32)
    shared, expected = np.zeros_like(ties), np.zeros((miners, miners))
    for kind in range(_KINDS):
        chosen = kinds == kind
        miner, cell = within.miner[chosen], cells[chosen]
        both = np.zeros_like(ties)
        _count_pairs(within.challenge[chosen], miner, cell, _CELLS_A_TOLERANCE, both, ties)
        shared += both
        expected += both * _chance(miner, cell, miners, tolerance)
    return PairTies(shared, ties, expected)


def _kinds(answers: MinerAnswers) -> Indices:
    """(n,), the kind of each answer's challenge: its label, and how many were wrong."""
    challenges = answers.challenges.height
    answered = np.bincount(answers.challenge, minlength=challenges)
    wrong = np.bincount(answers.challenge, ~answers.right, minlength=challenges)
    share = wrong / np.maximum(answered, 1)
    # a share such as 3/10 must not fall beyond its own end
    bucket = np.searchsorted(np.array(_WRONG_SHARES) + 1e-9, share)
    found: Indices = 2 * bucket[answers.challenge] + answers.label
    return found


def _chance(miner: Indices, cell: Indices, miners: int, tolerance: float) -> Floats:
    """(miners, miners), the chance that answers of two to different challenges tie."""
    width = round(_CELLS_A_TOLERANCE / tolerance) + 1
    counts = np.bincount(miner * width + cell, minlength=miners * width)
    shares = counts.reshape(miners, width).astype(np.float64)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    near = np.pad(shares, ((0, 0), (_CELLS_A_TOLERANCE + 1, _CELLS_A_TOLERANCE)))
    sums = near.cumsum(axis=1)
    reach = 2 * _CELLS_A_TOLERANCE + 1
    found: Floats = np.minimum(1.0, shares @ (sums[:, reach:] - sums[:, :-reach]).T)
    return found


@compiled
def _count_pairs(
    challenge: Indices, miner: Indices, cell: Indices, reach: int, shared: Counts, ties: Counts
) -> None:
    """Count into `shared` and `ties`; answers are sorted by challenge, then by miner."""
    start = 0
    for end in range(1, len(challenge) + 1):
        if end < len(challenge) and challenge[end] == challenge[start]:
            continue
        for one in range(start, end):
            for other in range(one + 1, end):
                shared[miner[one], miner[other]] += 1
                if abs(cell[one] - cell[other]) <= reach:
                    ties[miner[one], miner[other]] += 1
        start = end


def enough_shared(ties: PairTies, few: int) -> Flags:
    """(miners, miners), the pairs that share at least `few` challenges."""
    found: Flags = ties.shared >= few
    return found
