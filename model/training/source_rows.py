"""Source rows to train on: which there are, their labels and metadata, and who validates.

Labels are those that a validator sends a row with. Rows of one video, or of places near each other,
show one street: they stand on the same side of the split, or the validation would flatter.
"""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import BallTree

from analytics.leaks.training_overlap import OverlapSettings
from analytics.simulation.sources import SimulatedSource
from data.errors import RunError, SourceError
from data.records.cities import EARTH_METRES
from data.records.fields import FIELDS, read_fields
from data.sources.shard import Shard
from data.sources.shards import Shards
from model.training.training_row import TrainingRow

Ints = npt.NDArray[np.int64]

_COLUMNS = tuple(field.key[1] for field in FIELDS if field.key[0] == "metadata")
_NEEDED = ("label", "scene_description")
_FORMATS = ("JPEG", "PNG")


@dataclass(frozen=True)
class ListedRows:
    """The rows that a validator sends; `left_out` counts the others by reason."""

    rows: list[TrainingRow]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Split:
    """Two sides that share no row, no video and no place: indices of rows, rising.

    `streets` counts what could not be split: rows that hang together by video or place.
    """

    training: Ints
    validation: Ints
    streets: int


def list_rows(shards: Shards) -> ListedRows:
    """Every row of the shards that a validator would send; images are looked at, not decoded.

    Raises:
        SourceError: no shards, or one that is not of the public data set's form.
    """
    if not len(shards):
        raise SourceError(
            f"sources {shards.folder}",
            found="no *.parquet shard",
            expected="shards of the public data set",
            remedy="name their folder with --sources",
        )
    rows: list[TrainingRow] = []
    left_out: Counter[str] = Counter()
    for name in shards.names:
        shard = shards[name]
        for position, columns in enumerate(_columns(shard)):
            label = shard.labels[position]
            if label is None or shard.positions(label)[0] != position:
                left_out["no label of its own in the shard's index"] += 1
                continue
            found = _row(shards, name, label, columns)
            if isinstance(found, TrainingRow):
                rows.append(found)
            else:
                left_out[found] += 1
    return ListedRows(rows, dict(left_out))


def _columns(shard: Shard) -> list[dict[str, Any]]:
    """The data set's columns of every row, less the image."""
    try:
        names = pq.read_schema(shard.path).names
        missing = [name for name in _NEEDED if name not in names]
        if missing:
            raise SourceError(
                f"shard {shard.path.name}",
                found=f"no column {missing[0]}",
                expected="the columns of the public data set",
            )
        wanted = [name for name in _COLUMNS if name in names]
        found: list[dict[str, Any]] = (
            pq.ParquetFile(shard.path, memory_map=True).read(wanted).to_pylist()
        )
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"shard {shard.path.name}",
            found=str(error).splitlines()[0],
            expected="readable parquet data",
            remedy="fetch it again",
        ) from None
    return found


def _row(shards: Shards, parquet: str, row: int, columns: dict[str, Any]) -> TrainingRow | str:
    """A row that a validator sends, or why it does not."""
    try:
        with Image.open(io.BytesIO(shards.read(parquet, row).image), formats=_FORMATS) as image:
            source = SimulatedSource(parquet, row, "", image.size, image.mode, columns)
    except (SourceError, OSError, Image.DecompressionBombError):
        return "unreadable image"
    label = source.sendable_label
    if label is None:
        return "never sent: its description contradicts its label"
    read = read_fields({"metadata": columns})
    nulls = {f"{name}_null": kind for name, kind in read.nulls.items()}
    return TrainingRow(parquet, row, label, source.image_size, read.columns | nulls)


def split_rows(
    rows: Sequence[TrainingRow],
    share: float,
    seed: int,
    overlap: OverlapSettings = OverlapSettings(),
) -> Split:
    """Draw who validates: whole streets, at most about `share` of the rows.

    Args:
        rows: all of them.
        share: 0..1, of the rows.
        seed: of the draw.
        overlap: how near is near.

    Raises:
        RunError: too few videos or places to split, or a side without one of the classes.
    """
    street = _streets(rows, overlap.metres)
    sizes = np.bincount(street)
    room, chosen = round(share * len(rows)), np.zeros(len(sizes), bool)
    for one in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[one] <= room:
            chosen[one] = True
            room -= sizes[one]
    validates = chosen[street]
    split = Split(np.flatnonzero(~validates), np.flatnonzero(validates), len(sizes))
    _check_classes(rows, split)
    return split


def _streets(rows: Sequence[TrainingRow], metres: float) -> Ints:
    """(N,), a number from 0 for what hangs together by video or by place."""
    pairs = [_same_video(rows), _near(rows, metres)]
    first, second = np.concatenate(pairs, axis=1)
    edges = coo_array((np.ones(len(first)), (first, second)), shape=(len(rows),) * 2)
    _, street = connected_components(edges, directed=False)
    return np.asarray(street, np.int64)


def _same_video(rows: Sequence[TrainingRow]) -> Ints:
    """(2, pairs): each row of a video with its first one."""
    firsts: dict[str, int] = {}
    pairs = [
        (firsts.setdefault(row.vid_id, place), place)
        for place, row in enumerate(rows)
        if row.vid_id is not None
    ]
    return np.array(pairs, np.int64).reshape(-1, 2).T


def _near(rows: Sequence[TrainingRow], metres: float) -> Ints:
    """(2, pairs): rows at most so many metres apart."""
    places = np.array([place for place, row in enumerate(rows) if row.gps is not None], np.int64)
    if not len(places):
        return np.empty((2, 0), np.int64)
    radians = np.radians([row.gps for row in rows if row.gps is not None])
    found = BallTree(radians, metric="haversine").query_radius(radians, metres / EARTH_METRES)
    first = np.repeat(places, [len(near) for near in found])
    return np.stack((first, places[np.concatenate(found).astype(np.int64)]))


def _check_classes(rows: Sequence[TrainingRow], split: Split) -> None:
    labels = np.array([row.label for row in rows], np.int64)
    for side, places in (("train", split.training), ("validate", split.validation)):
        counts = np.bincount(labels[places], minlength=2)
        if not counts.all():
            raise RunError(
                f"rows to {side} on",
                found=f"{counts[1]} with roadwork and {counts[0]} without, of {len(rows)} rows in "
                f"{split.streets} streets (rows that share a video or a place)",
                expected="some of both",
                remedy="add shards, or change --validation",
            )


def training_table(rows: Sequence[TrainingRow]) -> pl.DataFrame:
    """The rows as `leaks --trained-on` reads them: parquet, row, vid_id, gps_lat, gps_lon."""
    gps = [row.gps or (None, None) for row in rows]
    return pl.DataFrame(
        {
            "parquet": [row.parquet for row in rows],
            "row": [row.row for row in rows],
            "vid_id": [row.vid_id for row in rows],
            "gps_lat": [pair[0] for pair in gps],
            "gps_lon": [pair[1] for pair in gps],
        },
        schema={
            "parquet": pl.String,
            "row": pl.Int64,
            "vid_id": pl.String,
            "gps_lat": pl.Float64,
            "gps_lon": pl.Float64,
        },
    )
