"""Streets: rows that share a video, or whose locations are near each other.

Two frames of one street look alike, so a model must not be validated on a street that it was
trained on. A street is kept whole wherever rows are divided.
"""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import BallTree

from analytics.leaks.training_overlap import OverlapSettings, source_overlap
from data.records.cities import EARTH_METRES
from model.rows.source_rows import row_columns
from model.rows.training_row import TrainingRow

Ints = npt.NDArray[np.int64]


def name_order(rows: Sequence[TrainingRow]) -> list[int]:
    """Indices of the rows in order of shard and row: the same whatever order they are given in."""
    return sorted(range(len(rows)), key=lambda index: (rows[index].parquet, rows[index].row))


def streets_of_rows(
    rows: Sequence[TrainingRow], overlap: OverlapSettings = OverlapSettings()
) -> Ints:
    """The street of each row, (rows,): connected by row, by video or by location, over any chain.

    Args:
        rows: in any order; a row's street is numbered alike in all of them.
        overlap: within how many metres locations count as one.

    Returns:
        Numbers from 0, in order of the first of their rows by shard and row.
    """
    order = name_order(rows)
    named = [rows[index] for index in order]
    pairs = (
        _same((row.parquet, row.row) for row in named),
        _same(row.vid_id for row in named),
        _near(named, overlap.metres),
    )
    first, second = np.concatenate(pairs, axis=1)
    edges = coo_array((np.ones(len(first)), (first, second)), shape=(len(rows),) * 2)
    _, connected = connected_components(edges, directed=False)
    _, starts, numbers = np.unique(connected, return_index=True, return_inverse=True)
    streets = np.empty(len(rows), np.int64)
    streets[order] = np.argsort(np.argsort(starts))[numbers]
    return streets


def overlap_of_rows(
    rows: Sequence[TrainingRow],
    others: pl.DataFrame,
    overlap: OverlapSettings = OverlapSettings(),
) -> pl.DataFrame:
    """How each row overlaps with rows of another training: by row, video or location.

    Args:
        rows: in any order.
        others: as `analytics.leaks.training_rows.read_training_rows` reads them.
        overlap: within how many metres locations count as one.

    Returns:
        As `source_overlap`, in the order of `rows`.
    """
    names = pl.Series([str(index) for index in range(len(rows))], dtype=pl.String)
    return source_overlap(row_columns(rows).with_columns(challenge_id=names), others, overlap)


def _same(keys: Iterable[Hashable | None]) -> Ints:
    """(2, pairs): each index of a key, None apart, with the key's first index."""
    firsts: dict[Hashable, int] = {}
    pairs = [
        (firsts.setdefault(key, index), index) for index, key in enumerate(keys) if key is not None
    ]
    return np.array(pairs, np.int64).reshape(-1, 2).T


def _near(rows: Sequence[TrainingRow], metres: float) -> Ints:
    """(2, pairs): rows whose locations are at most so many metres apart."""
    located = np.array([index for index, row in enumerate(rows) if row.gps is not None], np.int64)
    if not len(located):
        return np.empty((2, 0), np.int64)
    radians = np.radians([row.gps for row in rows if row.gps is not None])
    # each place once: thousands of frames of one spot would be millions of pairs
    places, place_of_row = np.unique(radians, axis=0, return_inverse=True)
    neighbours = BallTree(places, metric="haversine").query_radius(places, metres / EARTH_METRES)
    row_of_place = np.empty(len(places), np.int64)
    row_of_place[place_of_row] = located
    first = np.repeat(row_of_place, [len(near) for near in neighbours])
    second = row_of_place[np.concatenate(neighbours).astype(np.int64)]
    here = np.stack((row_of_place[place_of_row], located))
    return np.concatenate((np.stack((first, second)), here), axis=1)
