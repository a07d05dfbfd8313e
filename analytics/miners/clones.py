"""Clone groups: miners whose answers are equal beyond chance.

Ties by chance: two independent miners tie as often as an answer of one and an answer of the other
to different challenges of the same kind do. A kind is a label and how many of its miners were
wrong: given that count, a Rasch model's answers no longer depend on the difficulty (Rasch 1960), so
that two good miners, or two who say only 0 and 1, do not tie for being right on easy challenges.

The null hypothesis of each pair: apart from ties by chance, at most `copied_share` of their answers
are equal. So a challenge is a tie with probability q = c + copied_share * (1 - c), c by chance, and
the number of ties is Poisson-binomial. Its upper tail is at most the binomial's with the mean q
(Hoeffding 1956, theorem 4), which gives the p-value; Holm's correction over all tested pairs. With
`copied_share` 0 miners trained alike, on the same rows, would be clones; asking for more than a
share of equal answers is what separates a copy from a model of the same origin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.cluster.hierarchy import DisjointSet

from analytics.comparison.intervals import Interval
from analytics.comparison.multiple_tests import holm
from analytics.miners.answers import Indices, Miner, MinerAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats

Counts = NDArray[np.int32]

_LEVEL = 0.95

# answers are rounded to a quarter of the tolerance, so that chance can be counted, not guessed
_CELLS_A_TOLERANCE = 4
# upper ends of the share of wrong answers that makes a kind of challenge
_WRONG_SHARES = (0.0, 0.1, 0.2, 0.3, 0.5)
_KINDS = 2 * (len(_WRONG_SHARES) + 1)


@dataclass(frozen=True)
class CloneSettings:
    """Thresholds of ties and of clones.

    `tolerance`: answers that differ by it at most tie. `copied_share`: the share, 0..1, of their
    answers that two miners may have in common beyond chance. `few_shared`: pairs that share fewer
    challenges are not tested. `error`: the family-wise error rate, 0..1: of any false pair at all.

    Raises:
        ValueError: a setting is out of its range.
    """

    tolerance: float = 0.01
    copied_share: float = 0.5
    few_shared: int = 20
    error: float = 0.01

    def __post_init__(self) -> None:
        if not 0.0 < self.tolerance < 1.0:
            raise ValueError(f"tolerance is {self.tolerance}, expected above 0 and below 1")
        if not 0.0 <= self.copied_share < 1.0:
            raise ValueError(f"copied_share is {self.copied_share}, expected 0..1, less than 1")


@dataclass(frozen=True)
class ClonePair:
    """Two miners whose answers are equal beyond chance.

    They share `shared` challenges: `ties` answers are equal, `expected` would be by chance.
    `excess` is the share of the others that is equal, 1 for copies, with its 95% interval
    (Clopper-Pearson's of the ties). `p_value` is after Holm's correction.
    """

    first: Miner
    second: Miner
    shared: int
    ties: int
    expected: float
    excess: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class CloneGroup:
    """A connected component of clone pairs, and those pairs."""

    miners: list[Miner]
    pairs: list[ClonePair]


@dataclass(frozen=True)
class Clones:
    """Clone groups, largest first, and the tests behind them.

    `pairs_left_out` share challenges, but fewer than `few_shared`. `excess_median` and `excess_99`
    are the median and the 99th percentile of the excess of all tested pairs, where the null
    hypothesis says `copied_share` at most; None without a pair.
    """

    groups: list[CloneGroup]
    settings: CloneSettings
    pairs_tested: int
    pairs_left_out: int
    excess_median: float | None
    excess_99: float | None


@dataclass(frozen=True)
class PairTies:
    """Of pairs of miners: (miners, miners), the upper triangle filled, or (pairs,) of chosen ones.

    `shared` challenges that both answered, `ties` among them, and `expected` ties by chance.
    """

    shared: Counts
    ties: Counts
    expected: Floats


def clone_groups(answers: MinerAnswers, settings: CloneSettings = CloneSettings()) -> Clones:
    """Find clone groups; repeats of a source image count as challenges of their own."""
    ties = pair_ties(answers, settings.tolerance)
    enough = ties.shared >= settings.few_shared
    first, second = np.nonzero(enough)
    tested = PairTies(ties.shared[enough], ties.ties[enough], ties.expected[enough])
    adjusted = holm(_p_values(tested, settings.copied_share))
    excess = _excess(tested.ties.astype(np.float64), tested)
    clones = np.flatnonzero(adjusted <= settings.error)
    low, high = _interval(tested, clones)
    pairs = [
        ClonePair(
            first=answers.miners[first[pair]],
            second=answers.miners[second[pair]],
            shared=int(tested.shared[pair]),
            ties=int(tested.ties[pair]),
            expected=float(tested.expected[pair]),
            excess=float(excess[pair]),
            interval=(float(low[row]), float(high[row])),
            p_value=float(adjusted[pair]),
        )
        for row, pair in enumerate(clones)
    ]
    median, percentile_99 = np.quantile(excess, [0.5, 0.99]) if len(excess) else (None, None)
    return Clones(
        groups=connected_groups(answers.miners, first[clones], second[clones], pairs),
        settings=settings,
        pairs_tested=len(excess),
        pairs_left_out=int(np.count_nonzero(ties.shared)) - len(excess),
        excess_median=None if median is None else float(median),
        excess_99=None if percentile_99 is None else float(percentile_99),
    )


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
        shared_of_kind = np.zeros_like(ties)
        _count_pairs(
            within.challenge[chosen], miner, cell, _CELLS_A_TOLERANCE, shared_of_kind, ties
        )
        shared += shared_of_kind
        expected += shared_of_kind * _chance(miner, cell, miners, tolerance)
    return PairTies(shared, ties, expected)


def _kinds(answers: MinerAnswers) -> Indices:
    """(n,), the kind of each answer's challenge: its label, and how many were wrong."""
    challenges = answers.challenges.height
    answered = np.bincount(answers.challenge, minlength=challenges)
    wrong = np.bincount(answers.challenge, ~answers.right, minlength=challenges)
    share = wrong / np.maximum(answered, 1)
    # a share such as 3/10 must not fall beyond its own end
    bucket = np.searchsorted(np.array(_WRONG_SHARES) + 1e-9, share)
    kinds: Indices = 2 * bucket[answers.challenge] + answers.label
    return kinds


def _chance(miner: Indices, cell: Indices, miners: int, tolerance: float) -> Floats:
    """(miners, miners), the chance that answers of two to different challenges tie."""
    width = round(_CELLS_A_TOLERANCE / tolerance) + 1
    counts = np.bincount(miner * width + cell, minlength=miners * width)
    shares = counts.reshape(miners, width).astype(np.float64)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    near = np.pad(shares, ((0, 0), (_CELLS_A_TOLERANCE + 1, _CELLS_A_TOLERANCE)))
    sums = near.cumsum(axis=1)
    reach = 2 * _CELLS_A_TOLERANCE + 1
    chance: Floats = np.minimum(1.0, shares @ (sums[:, reach:] - sums[:, :-reach]).T)
    return chance


@compiled
def _count_pairs(
    challenge: Indices, miner: Indices, cell: Indices, reach: int, shared: Counts, ties: Counts
) -> None:
    """Count into `shared` and `ties`; answers are sorted by challenge, then by miner."""
    start = 0
    for end in range(1, len(challenge) + 1):
        if end < len(challenge) and challenge[end] == challenge[start]:
            continue
        for row in range(start, end):
            for other in range(row + 1, end):
                shared[miner[row], miner[other]] += 1
                if abs(cell[row] - cell[other]) <= reach:
                    ties[miner[row], miner[other]] += 1
        start = end


def _p_values(tested: PairTies, copied_share: float) -> Floats:
    """(pairs,), an upper bound of the chance of so many ties; 1 where there are not too many."""
    chance = tested.expected / tested.shared
    allowed = np.minimum(1.0, chance + copied_share * (1 - chance))
    tail = stats.binom.sf(tested.ties - 1, tested.shared, allowed)
    # below that the binomial is no bound
    bounded = tested.ties >= tested.shared * allowed + 1
    p_values: Floats = np.where(bounded, tail, 1.0)
    return p_values


def _excess(ties: Floats, tested: PairTies) -> Floats:
    """(pairs,), the share of equal answers beyond chance; 0 where all would be equal by chance."""
    spare: Floats = tested.shared - tested.expected
    return np.divide(ties - tested.expected, spare, out=np.zeros(len(spare)), where=spare > 0)


def _interval(tested: PairTies, pairs: Indices) -> tuple[Floats, Floats]:
    """(pairs,) each, ends of the excess from Clopper and Pearson's interval of the ties."""
    chosen = PairTies(tested.shared[pairs], tested.ties[pairs], tested.expected[pairs])
    tail = (1 - _LEVEL) / 2
    rest = chosen.shared - chosen.ties
    low = stats.beta.ppf(tail, chosen.ties, rest + 1)
    high = np.where(rest > 0, stats.beta.ppf(1 - tail, chosen.ties + 1, np.maximum(rest, 1)), 1.0)
    return _excess(low * chosen.shared, chosen), _excess(high * chosen.shared, chosen)


def connected_groups(
    miners: list[Miner], first: Indices, second: Indices, pairs: list[ClonePair]
) -> list[CloneGroup]:
    """Connected components of miners joined by pairs, largest first.

    Args:
        miners: by number.
        first: (pairs,), the number of each pair's first miner.
        second: (pairs,), of its second.
        pairs: the pairs themselves.
    """
    joined = DisjointSet(np.union1d(first, second).tolist())
    for member, other in zip(first.tolist(), second.tolist(), strict=True):
        joined.merge(member, other)
    groups = [
        CloneGroup(
            miners=[miners[member] for member in sorted(members)],
            pairs=[pair for pair, member in zip(pairs, first, strict=True) if member in members],
        )
        for members in joined.subsets()
    ]
    return sorted(groups, key=lambda group: -len(group.miners))
