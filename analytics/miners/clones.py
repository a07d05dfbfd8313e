"""Clone groups: miners whose answers are equal beyond chance.

The null hypothesis of each pair: apart from ties by chance (`pair_ties`), at most `copied_share` of
their answers are equal. So a challenge is a tie with probability q = c + copied_share * (1 - c),
c by chance, and the number of ties is Poisson-binomial. Its upper tail is at most the binomial's
with the mean q (Hoeffding 1956, theorem 4), which gives the p-value; Holm's correction over all
tested pairs. With `copied_share` 0 miners trained alike, on the same rows, would be clones; asking
for more than a share of equal answers is what tells a copy from a relative.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from analytics.comparison.multiple_tests import holm
from analytics.miners.answers import Indices, Miner, MinerAnswers
from analytics.miners.pair_ties import PairTies, enough_shared, pair_ties
from analytics.scoring.metrics import Floats

_LEVEL = 0.95


@dataclass(frozen=True)
class CloneSettings:
    """When answers tie, and when ties are too many.

    `tolerance`: answers that differ by it at most tie. `copied_share`: what of their answers, 0..1,
    two miners may have in common beyond chance. `few_shared`: fewer challenges decide nothing.
    `error`: the chance, 0..1, of any false pair at all.

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
    """Two miners who answer alike.

    Of `shared` challenges `ties` are equal and `expected` would be by chance; `excess` is the share
    of the rest that is equal, 1 for copies, with its 95% interval (Clopper-Pearson's of the ties).
    `p_value` is after Holm's correction.
    """

    first: Miner
    second: Miner
    shared: int
    ties: int
    expected: float
    excess: float
    interval: tuple[float, float]
    p_value: float


@dataclass(frozen=True)
class CloneGroup:
    """Miners joined by pairs who answer alike, and those pairs."""

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


def clone_groups(answers: MinerAnswers, settings: CloneSettings = CloneSettings()) -> Clones:
    """Find the groups. Repeats of a source image count as challenges of their own."""
    ties = pair_ties(answers, settings.tolerance)
    enough = enough_shared(ties, settings.few_shared)
    first, second = np.nonzero(enough)
    tested = PairTies(ties.shared[enough], ties.ties[enough], ties.expected[enough])
    adjusted = holm(_p_values(tested, settings.copied_share))
    excess = _excess(tested.ties.astype(np.float64), tested)
    found = np.flatnonzero(adjusted <= settings.error)
    low, high = _interval(tested, found)
    pairs = [
        ClonePair(
            first=answers.miners[first[at]],
            second=answers.miners[second[at]],
            shared=int(tested.shared[at]),
            ties=int(tested.ties[at]),
            expected=float(tested.expected[at]),
            excess=float(excess[at]),
            interval=(float(low[place]), float(high[place])),
            p_value=float(adjusted[at]),
        )
        for place, at in enumerate(found)
    ]
    middle, far = np.quantile(excess, [0.5, 0.99]) if len(excess) else (None, None)
    return Clones(
        groups=_groups(answers.miners, first[found], second[found], pairs),
        settings=settings,
        pairs_tested=len(excess),
        pairs_left_out=int(np.count_nonzero(ties.shared)) - len(excess),
        excess_median=None if middle is None else float(middle),
        excess_99=None if far is None else float(far),
    )


def _p_values(tested: PairTies, copied_share: float) -> Floats:
    """(pairs,), an upper bound of the chance of so many ties; 1 where there are not too many."""
    chance = tested.expected / tested.shared
    allowed = np.minimum(1.0, chance + copied_share * (1 - chance))
    tail = stats.binom.sf(tested.ties - 1, tested.shared, allowed)
    # below that the binomial is no bound
    bounded = tested.ties >= tested.shared * allowed + 1
    found: Floats = np.where(bounded, tail, 1.0)
    return found


def _excess(ties: Floats, tested: PairTies) -> Floats:
    spare: Floats = tested.shared - tested.expected
    return np.divide(ties - tested.expected, spare, out=np.zeros(len(spare)), where=spare > 0)


def _interval(tested: PairTies, found: Indices) -> tuple[Floats, Floats]:
    """(found,) each, ends of the excess from Clopper and Pearson's interval of the ties."""
    chosen = PairTies(tested.shared[found], tested.ties[found], tested.expected[found])
    tail = (1 - _LEVEL) / 2
    rest = chosen.shared - chosen.ties
    low = stats.beta.ppf(tail, chosen.ties, rest + 1)
    high = np.where(rest > 0, stats.beta.ppf(1 - tail, chosen.ties + 1, np.maximum(rest, 1)), 1.0)
    return _excess(low * chosen.shared, chosen), _excess(high * chosen.shared, chosen)


def _groups(
    miners: list[Miner], first: Indices, second: Indices, pairs: list[ClonePair]
) -> list[CloneGroup]:
    size = len(miners)
    links = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    _, member_of = sparse.csgraph.connected_components(links, directed=False)
    group_of_pair = member_of[first]
    groups = [
        CloneGroup(
            miners=[miners[at] for at in np.flatnonzero(member_of == group)],
            pairs=[pairs[at] for at in np.flatnonzero(group_of_pair == group)],
        )
        for group in np.unique(group_of_pair)
    ]
    return sorted(groups, key=lambda group: -len(group.miners))
