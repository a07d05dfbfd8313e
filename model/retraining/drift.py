"""How far shares have moved between two periods, beyond what chance alone moves them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DRAWS = 2000


@dataclass(frozen=True)
class Drift:
    """The distance of two mean compositions, on `before` and `after` challenges.

    `size` is the total variation distance, 0..1: the share that would have to move to make them
    equal; for two categories the difference of a rate. `chance` is its mean where challenges are
    dealt to the periods at random, which is above 0; `p_value` how often that is at least `size`.
    """

    size: float
    chance: float
    p_value: float
    before: int
    after: int

    @property
    def beyond_chance(self) -> float:
        """The size less what chance makes of it, at least 0."""
        return max(0.0, self.size - self.chance)


def count_drift(before: NDArray[np.int64], after: NDArray[np.int64], seed: int) -> Drift:
    """The drift of a category's counts, by a permutation test.

    Args:
        before: (K,), how many of the earlier challenges are of each category.
        after: (K,), of the later ones.
        seed: of the random deals.
    """
    counts = int(before.sum()), int(after.sum())
    if not all(counts):
        return Drift(0.0, 0.0, 1.0, *counts)
    generator = np.random.default_rng(seed)
    dealt = generator.multivariate_hypergeometric(before + after, counts[0], _DRAWS, "marginals")
    total = before + after
    sizes = _distance(dealt / counts[0], (total - dealt) / counts[1])
    return _drift(float(_distance(before / counts[0], after / counts[1])), sizes, counts)


def mean_drift(before: Floats, after: Floats, seed: int) -> Drift:
    """The drift of mean compositions, such as views' shares of the fusion, likewise.

    Args:
        before: (n, K), rows of shares of the earlier challenges.
        after: (m, K), of the later ones.
        seed: of the random deals.
    """
    counts = len(before), len(after)
    if not all(counts):
        return Drift(0.0, 0.0, 1.0, *counts)
    generator, rows = np.random.default_rng(seed), np.concatenate([before, after])
    total = rows.sum(axis=0)
    sizes = np.empty(_DRAWS)
    for draw in range(_DRAWS):
        dealt = rows[generator.permutation(len(rows))[: counts[0]]].sum(axis=0)
        sizes[draw] = _distance(dealt / counts[0], (total - dealt) / counts[1])
    return _drift(float(_distance(before.mean(axis=0), after.mean(axis=0))), sizes, counts)


def _distance(first: Floats, second: Floats) -> Floats:
    """Half the sum of absolute differences over the last axis."""
    distance: Floats = np.abs(first - second).sum(axis=-1) / 2
    return distance


def _drift(size: float, dealt: Floats, counts: tuple[int, int]) -> Drift:
    # rounding must not tell equal sizes apart
    at_least = int((dealt >= size - 1e-12).sum())
    return Drift(size, float(dealt.mean()), (1 + at_least) / (1 + len(dealt)), *counts)
