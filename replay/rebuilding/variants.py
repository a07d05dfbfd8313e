"""The possible images of a level 2 or 3 challenge, whose distortions are not logged.

The validator draws each distortion's level uniformly: 8 equally likely combinations at level 2, 243
at level 3, of which 162 add noise that nobody can know (DOMAIN.md §2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from replay.rebuilding.variant_draws import Draws, draw_positions
from replay.settings import VariantSettings

# The levels of each distortion that the validator draws from, by the challenge's level.
MILD_LEVEL, STRONG_LEVEL = 2, 3
_MILD, _STRONG = (0, 1), (0, 1, 2)


@dataclass(frozen=True)
class Distortions:
    """Level of each distortion, 0 (not applied), 1 or 2; fields are in the order of application."""

    saturation: int = 0
    contrast: int = 0
    blocks: int = 0
    noise: int = 0
    blur: int = 0


@dataclass(frozen=True)
class Variant:
    """One possible image: distortions, probability, and index in `distortion_combinations`."""

    distortions: Distortions
    weight: float
    index: int

    @property
    def noisy(self) -> bool:
        """True where the image holds noise that we generate, not the validator's."""
        return self.distortions.noise > 0


UNDISTORTED = Variant(Distortions(), 1.0, 0)
"""The one image of a challenge below level 2."""


@lru_cache(maxsize=16)
def distortion_combinations(level: int | None) -> tuple[Distortions, ...]:
    """All equally likely combinations of distortions at a level; one, without any, below level 2.

    Built once a level, as every challenge of a plan asks for it.
    """
    if level == MILD_LEVEL:
        return tuple(Distortions(*combination) for combination in product(_MILD, repeat=3))
    if level == STRONG_LEVEL:
        # Noise varies slowest: `sampled_variants` keeps its levels in proportion.
        return tuple(
            Distortions(saturation=cs, contrast=cc, blocks=jpeg, noise=gnc, blur=gb)
            for gnc, gb, cs, jpeg, cc in product(_STRONG, repeat=5)
        )
    return (Distortions(),)


def variant_count(level: int | None, settings: VariantSettings) -> int:
    """How many possible images of a challenge of a level are to be built."""
    total = len(distortion_combinations(level))
    return total if settings.count is None else min(settings.count, total)


def sampled_variants(
    level: int | None, challenge_id: str, settings: VariantSettings
) -> tuple[Variant, ...]:
    """A challenge's possible images that are to be built, stratified by noise; weights sum to 1."""
    variants = _weighted(level, variant_count(level, settings))
    indices = sampled_indices(level, [challenge_id], settings)
    return variants if indices is None else tuple(variants[index] for index in indices[0])


def sampled_indices(
    level: int | None, challenge_ids: Sequence[str], settings: VariantSettings
) -> Draws | None:
    """Which combinations are to be built of challenges of one level: (challenges, count).

    None where it is all of them, in their order.
    """
    total, wanted = len(distortion_combinations(level)), variant_count(level, settings)
    if wanted == total:
        return None
    # Levels of noise stay in their order, so in proportion; within one the order is random, for a
    # fixed stride through a product would take the same levels of the other distortions each time.
    strata = len(_STRONG) if level == STRONG_LEVEL else 1
    return draw_positions(challenge_ids, settings.seed, total, strata, wanted)


@lru_cache(maxsize=16)
def _weighted(level: int | None, count: int) -> tuple[Variant, ...]:
    """Every combination with the weight of one of `count`; shared by all challenges of a plan."""
    return tuple(
        Variant(distortions, 1 / count, index)
        for index, distortions in enumerate(distortion_combinations(level))
    )


def seeded_generator(seed: int, challenge_id: str, *more: int) -> np.random.Generator:
    """A random generator seeded by a challenge's hexadecimal id: the same on every machine."""
    return np.random.default_rng([seed, int(challenge_id, 16), *more])
