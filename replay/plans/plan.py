"""Plans a rebuild before any image is read: a fidelity and variants for each challenge.

A plan is columns. The objects of a challenge are made when its part is worked on, so that a plan of
millions of challenges takes little time and memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.records.stored_challenge import StoredChallenge
from data.records.stored_challenges import OBJECTS_AT_ONCE, StoredChallenges
from data.sources.shards import Shards
from replay.plans.obstacles import Obstacles, distinct_sources, obstacles_of
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.variants import (
    Variant,
    distortion_combinations,
    sampled_variants,
    variant_count,
)
from replay.settings import VariantSettings


@dataclass(frozen=True)
class Planned:
    """One challenge of a plan: its images, or why there are none.

    `variants` are its possible images with their weights: one where exact, several where a
    distribution, none where impossible; `detail` says for a person what the reason is about.
    """

    challenge: StoredChallenge
    fidelity: Fidelity
    variants: tuple[Variant, ...] = ()
    reason: Reason | None = None
    detail: str | None = None


class Plan(Sequence[Planned]):
    """What can be rebuilt of some challenges; in their order, and it knows that of reading.

    It never changes, and reads no file, so that it can be sent to other processes.
    """

    def __init__(
        self, challenges: StoredChallenges, obstacles: Obstacles, settings: VariantSettings
    ) -> None:
        """Take challenges, the obstacle of each, and how many images there are of level 2 or 3."""
        self.challenges, self.obstacles, self.settings = challenges, obstacles, settings

    def __len__(self) -> int:
        return len(self.challenges)

    @overload
    def __getitem__(self, index: int) -> Planned: ...
    @overload
    def __getitem__(self, index: slice) -> "Plan": ...
    def __getitem__(self, index: int | slice) -> "Planned | Plan":
        """A planned challenge, or the plan of some."""
        if isinstance(index, slice):
            obstacles = Obstacles(self.obstacles.distinct, self.obstacles.indices[index])
            return Plan(self.challenges[index], obstacles, self.settings)
        return self.at(np.arange(len(self))[index, None])[0]

    def __iter__(self) -> Iterator[Planned]:
        for _, item in self._each(np.arange(len(self))):
            yield item

    def in_reading_order(self) -> Iterator[tuple[int, Planned]]:
        """Each planned challenge with its position in the plan, in order of `reading_order`."""
        return self._each(self.reading_order)

    def at(self, positions: npt.NDArray[np.int64]) -> list[Planned]:
        """The planned challenges at these positions, in their order."""
        return [
            self._planned(challenge, int(obstacle))
            for challenge, obstacle in zip(
                self.challenges.at(positions), self.obstacles.indices[positions], strict=True
            )
        ]

    def ids(self, positions: npt.NDArray[np.int64]) -> list[str]:
        """The ids of the challenges at these positions, in their order."""
        ids: list[str] = (
            self.challenges.columns["challenge_id"].take(pa.array(positions)).to_pylist()
        )
        return ids

    @cached_property
    def reading_order(self) -> npt.NDArray[np.int64]:
        """Positions in order of shard, row and id.

        So each row group is read once, and each source decoded once.
        """
        columns = self.challenges.columns
        words = columns["parquet"].combine_chunks()
        names = words.dictionary.to_pylist()
        ranks = {name: rank for rank, name in enumerate(sorted({"", *names}))}
        rank_of = pa.array([ranks[name] for name in names], pa.int32())
        keys = pa.table(
            {
                "parquet": pc.fill_null(rank_of.take(words.indices), ranks[""]),
                "row": pc.fill_null(columns["row"], 0),
                "challenge_id": columns["challenge_id"],
            }
        )
        ascending = [(name, "ascending") for name in keys.column_names]
        order: npt.NDArray[np.int64] = pc.sort_indices(keys, ascending).to_numpy().astype(np.int64)
        return order

    @cached_property
    def image_counts(self) -> npt.NDArray[np.int64]:
        """How many images each challenge has in the plan; 0 where it is impossible."""
        counts = np.zeros(len(self), np.int64)
        levels = self.challenges.columns["aug_level"]
        for level in levels.unique().to_pylist():
            counts[self.of_level(level)] = variant_count(level, self.settings)
        counts[self.obstacles.indices >= 0] = 0
        return counts

    def of_level(self, level: int | None) -> npt.NDArray[np.bool_]:
        """Where challenges are of a level."""
        levels = self.challenges.columns["aug_level"]
        is_level = pc.is_null(levels) if level is None else pc.equal(levels, level)
        where: npt.NDArray[np.bool_] = pc.fill_null(is_level, False).to_numpy()
        return where

    def counts(self) -> dict[str, int]:
        """How many challenges of each fidelity, those without an image by reason; most first."""
        counts: dict[str, int] = {}
        hindered = np.bincount(self.obstacles.indices + 1, minlength=len(self.obstacles.distinct))
        for obstacle, count in zip(self.obstacles.distinct, hindered[1:], strict=False):
            counts[obstacle.reason] = counts.get(obstacle.reason, 0) + int(count)
        for level in self.challenges.columns["aug_level"].unique().to_pylist():
            fidelity = _fidelity(level)
            with_images = np.count_nonzero(self.of_level(level) & (self.image_counts > 0))
            counts[fidelity] = counts.get(fidelity, 0) + int(with_images)
        most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {str(name): count for name, count in most_first if count}

    def sources(self) -> set[tuple[str, int]]:
        """The (shard, row) of every challenge with an image."""
        with_images = np.flatnonzero(self.image_counts)
        return set(distinct_sources(self.challenges.columns, with_images)[0])

    def _each(self, positions: npt.NDArray[np.int64]) -> Iterator[tuple[int, Planned]]:
        for first in range(0, len(positions), OBJECTS_AT_ONCE):
            some = positions[first : first + OBJECTS_AT_ONCE]
            yield from zip(map(int, some), self.at(some), strict=True)

    def _planned(self, challenge: StoredChallenge, obstacle: int) -> Planned:
        if obstacle >= 0:
            known = self.obstacles.distinct[obstacle]
            return Planned(challenge, Fidelity.IMPOSSIBLE, reason=known.reason, detail=known.detail)
        level = challenge.augmentation.aug_level
        variants = sampled_variants(level, challenge.challenge_id, self.settings)
        return Planned(challenge, _fidelity(level), variants)


def plan(
    challenges: StoredChallenges, shards: Shards, settings: VariantSettings = VariantSettings()
) -> Plan:
    """Plan a rebuild of `challenges`, in their order, from the sources at hand.

    Args:
        challenges: what to rebuild.
        shards: the source images.
        settings: how many images of a level 2 or 3 challenge.
    """
    return Plan(challenges, obstacles_of(challenges.columns, shards), settings)


def _fidelity(level: int | None) -> Fidelity:
    # by what is possible, not by what was sampled: one sample may well be the undistorted image
    return Fidelity.EXACT if len(distortion_combinations(level)) == 1 else Fidelity.DISTRIBUTION
