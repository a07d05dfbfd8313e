"""Slices given as flags, one array a slice, as tests find them easiest to say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.comparison.paired_answers import Flags
from analytics.slices.members import SliceMembers, slice_members


@dataclass(frozen=True)
class Flagged:
    """A field's value, and its `members`: (C,), True for the challenges that have it."""

    field: str
    value: str
    members: Flags


def coded(parts: Sequence[Flagged]) -> SliceMembers:
    """The same slices as integer codes."""
    values = [(part.field, part.value) for part in parts]
    challenges = [np.flatnonzero(part.members) for part in parts]
    numbers = np.repeat(np.arange(len(parts)), [len(some) for some in challenges])
    return slice_members(values, len(parts[0].members), np.concatenate(challenges), numbers)


def flagged(members: SliceMembers) -> Iterable[Flagged]:
    """The same slices as flags."""
    for number, (field, value) in enumerate(members.values):
        flags = np.zeros(len(members.starts) - 1, np.bool_)
        flags[members.challenge[members.numbers == number]] = True
        yield Flagged(field, value, flags)
