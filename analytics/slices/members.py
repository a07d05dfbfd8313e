"""Which challenges are in which slices, as integer codes: four bytes a challenge and slice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.comparison.paired_answers import Flags, Integers


@dataclass(frozen=True)
class SliceMembers:
    """S slices of C challenges; a challenge may be in several, or in none.

    Attributes:
        values: (S,), the field and the value of each slice.
        starts: (C + 1,), where each challenge's slices start among `numbers`.
        numbers: (E,), the numbers of its slices, increasing within a challenge.
    """

    values: Sequence[tuple[str, str]]
    starts: NDArray[np.int64]
    numbers: Integers

    @property
    def count(self) -> int:
        """Number of slices."""
        return len(self.values)

    @property
    def challenge(self) -> Integers:
        """(E,), the challenge of each number."""
        count = len(self.starts) - 1
        return np.repeat(np.arange(count, dtype=np.int32), np.diff(self.starts))

    def only(self, kept: Flags) -> "SliceMembers":
        """The slices where `kept`, (S,), is True, in the same order."""
        chosen = kept[self.numbers]
        values = [value for value, keep in zip(self.values, kept, strict=True) if keep]
        renumbered = (np.cumsum(kept) - 1).astype(np.int32)[self.numbers[chosen]]
        before = np.concatenate([[0], np.cumsum(chosen)])
        return SliceMembers(values, before[self.starts], renumbered)


def slice_members(
    values: Sequence[tuple[str, str]], count: int, challenge: ArrayLike, number: ArrayLike
) -> SliceMembers:
    """The slices of `count` challenges, of pairs in any order, each given once.

    Args:
        values: (S,), the field and the value of each slice.
        count: number of challenges.
        challenge: (E,), 0 to `count` - 1.
        number: (E,), of one of the challenge's slices, 0 to S - 1.
    """
    slices = max(1, len(values))
    codes = np.asarray(challenge, np.int64) * slices + np.asarray(number, np.int64)
    codes.sort()
    starts = np.searchsorted(codes, np.arange(count + 1) * slices).astype(np.int64)
    return SliceMembers(values, starts, (codes % slices).astype(np.int32))
