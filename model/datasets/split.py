"""The split of source rows into training and validation: no street is in both.

A street is what rows of one video, or of locations near each other, show. Rows of one street in
both splits would flatter the validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import BallTree

from analytics.leaks.training_overlap import OverlapSettings
from data.errors import RunError
from data.records.cities import EARTH_METRES
from model.datasets.training_row import TrainingRow

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rising indices of the rows of the two splits, which share no row, no video and no location.

    `streets` counts the groups of rows that share a video or a location.
    """

    training: Ints
    validation: Ints
    streets: int


def split_rows(
    rows: Sequence[TrainingRow],
    share: float,
    seed: int,
    overlap: OverlapSettings = OverlapSettings(),
) -> Split:
    """Draw the validation split: whole streets, at most about `share` of the rows.

    Args:
        rows: all of them.
        share: 0..1, of the rows.
        seed: of the draw.
        overlap: within how many metres locations count as one.

    Raises:
        RunError: too few streets to split, or a split without one of the classes.
    """
    street_of_row = _streets(rows, overlap.metres)
    sizes = np.bincount(street_of_row)
    free_rows, validates = round(share * len(rows)), np.zeros(len(sizes), bool)
    for street in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[street] <= free_rows:
            validates[street] = True
            free_rows -= sizes[street]
    in_validation = validates[street_of_row]
    split = Split(np.flatnonzero(~in_validation), np.flatnonzero(in_validation), len(sizes))
    _check_classes(rows, split)
    return split


def _streets(rows: Sequence[TrainingRow], metres: float) -> Ints:
    """The street of each row, (rows,), numbered from 0: connected by video or by location."""
    first, second = np.concatenate([_same_video(rows), _near(rows, metres)], axis=1)
    edges = coo_array((np.ones(len(first)), (first, second)), shape=(len(rows),) * 2)
    _, streets = connected_components(edges, directed=False)
    return np.asarray(streets, np.int64)


def _same_video(rows: Sequence[TrainingRow]) -> Ints:
    """(2, pairs): each row of a video with the video's first row."""
    first_rows: dict[str, int] = {}
    pairs = [
        (first_rows.setdefault(row.vid_id, index), index)
        for index, row in enumerate(rows)
        if row.vid_id is not None
    ]
    return np.array(pairs, np.int64).reshape(-1, 2).T


def _near(rows: Sequence[TrainingRow], metres: float) -> Ints:
    """(2, pairs): rows whose locations are at most so many metres apart."""
    located = np.array([index for index, row in enumerate(rows) if row.gps is not None], np.int64)
    if not len(located):
        return np.empty((2, 0), np.int64)
    radians = np.radians([row.gps for row in rows if row.gps is not None])
    tree = BallTree(radians, metric="haversine")
    neighbours = tree.query_radius(radians, metres / EARTH_METRES)
    first = np.repeat(located, [len(near) for near in neighbours])
    return np.stack((first, located[np.concatenate(neighbours).astype(np.int64)]))


def _check_classes(rows: Sequence[TrainingRow], split: Split) -> None:
    labels = np.array([row.label for row in rows], np.int64)
    for purpose, indices in (("train", split.training), ("validate", split.validation)):
        counts = np.bincount(labels[indices], minlength=2)
        if not counts.all():
            raise RunError(
                f"rows to {purpose} on",
                found=f"{counts[1]} with roadwork and {counts[0]} without, of {len(rows)} rows in "
                f"{split.streets} streets (rows that share a video or a place)",
                expected="some of both",
                remedy="add shards, or change --validation",
            )
