"""The guarded slices of a gate's challenges, as flags."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.comparison.bootstrap import MIN_IMAGES
from analytics.comparison.paired_answers import Flags

_MOST_VALUES = 100
"""Slices of one field at most, the largest: values of a log are whatever its writer wrote."""


@dataclass(frozen=True)
class Membership:
    """A field's value, and its `members`: (C,), True for the challenges that have it."""

    field: str
    value: str
    members: Flags


@dataclass(frozen=True)
class GuardedSlices:
    """Slices that may have images enough, and by field how many others there are."""

    memberships: Sequence[Membership]
    small: Mapping[str, int]


def guarded_slices(rows: pl.DataFrame, count: int) -> GuardedSlices:
    """The slices of challenges.

    Args:
        rows: columns `index` (of a challenge, 0 to `count` - 1), `field` and `value`.
        count: number of challenges.
    """
    grouped = rows.group_by("field", "value").agg("index").with_columns(size=pl.col("index").len())
    ranked = grouped.sort(["field", "size", "value"], descending=[False, True, False]).with_columns(
        rank=pl.int_range(pl.len()).over("field")
    )
    enough = (pl.col("size") >= MIN_IMAGES) & (pl.col("rank") < _MOST_VALUES)
    kept = ranked.filter(enough).sort("field", "value")
    memberships = []
    for field, value, indices in kept.select("field", "value", "index").iter_rows():
        flags = np.zeros(count, np.bool_)
        flags[indices] = True
        memberships.append(Membership(field, value, flags))
    small = Counter(ranked.filter(~enough)["field"].to_list())
    return GuardedSlices(memberships, dict(sorted(small.items())))
