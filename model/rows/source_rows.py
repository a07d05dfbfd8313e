"""Source rows to train on: those that a validator would send, with their labels and metadata."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from PIL import Image

from analytics.simulation.sources import SimulatedSource
from data.errors import SourceError
from data.records.fields import read_fields
from data.sources.row_metadata import row_metadata
from data.sources.shards import Shards
from model.rows.training_row import TrainingRow

_FORMATS = ("JPEG", "PNG")


@dataclass(frozen=True)
class ListedRows:
    """The rows that a validator would send; `left_out` counts the others by reason."""

    rows: list[TrainingRow]
    left_out: dict[str, int]


def list_rows(shards: Shards) -> ListedRows:
    """Every row of the shards that a validator would send; only headers of images are read.

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
        for position, columns in enumerate(row_metadata(shard)):
            label = shard.labels[position]
            if label is None or shard.positions(label)[0] != position:
                left_out["no label of its own in the shard's index"] += 1
                continue
            row = _row_or_reason(shards, name, position, columns)
            if isinstance(row, TrainingRow):
                rows.append(row)
            else:
                left_out[row] += 1
    return ListedRows(rows, dict(left_out))


def _row_or_reason(
    shards: Shards, parquet: str, row: int, columns: dict[str, Any]
) -> TrainingRow | str:
    """A row that a validator would send, or why it would not."""
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


def row_columns(rows: Sequence[TrainingRow]) -> pl.DataFrame:
    """What names each row and its street: parquet, row, vid_id, gps_lat, gps_lon.

    `leaks --trained-on` and a replay read the rows that a training saw in this form.
    """
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
