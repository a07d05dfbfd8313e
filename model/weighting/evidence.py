"""What weights are made of, as tables: the source rows, and what the log says about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from analytics.gates.block_sums import Field
from data.records.fields import SCENE_NULL_COLUMNS
from data.records.types import NullKind
from model.rows.training_row import TrainingRow

IMAGE_SIZE: Final = "image size"

SLICE_FIELDS: tuple[Field, ...] = ("city", "daytime", "environment", "weather", IMAGE_SIZE)
"""Columns of the rows, and fields of `replay.comparing.slices`, whose values rows and challenges
share. Not among them: what a challenge has and a row lacks (level, crop), and what is the label or
goes with it (label, NULL of a tag or of the description)."""

# Whether there is a description is the label (DOMAIN.md section 7), so no pattern tells it.
_PATTERN_FIELDS = tuple(name for name in SCENE_NULL_COLUMNS if name != "scene_description")
_ROW_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.String,
    "row": pl.Int64,
    "label": pl.Int8,
    "scene": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "city": pl.String,
    "daytime": pl.String,
    "environment": pl.String,
    "weather": pl.List(pl.String),
    IMAGE_SIZE: pl.String,
    "null_pattern": pl.String,
}
_LOGGED = {"source": pl.String, "row": pl.Int64}
_SLICE = {"field": pl.String, "value": pl.String}


def no_rows(schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """A table of these columns without rows."""
    return pl.DataFrame(schema=dict(schema))


@dataclass(frozen=True)
class Evidence:
    """Tables; an empty one is no evidence, and `reasons` says by factor why there is none.

    Attributes:
        rows: a row a source row, as `source_rows` makes it.
        logged: a row a logged challenge with GPS: `latitude`, `longitude` in degrees.
        clusters: a row a cluster of these: `name`, `latitude`, `longitude` of its centre.
        slice_losses: a row a slice of `SLICE_FIELDS`: `field`, `value`; `n`, the miners' answers in
            it, and `share`, 0..1, their part of all; `cost`, the mean reward over the whole log,
            0..1, that the candidate loses by it, with the ends of its 95% interval, `low` and
            `high`, null where the slice is too small.
        gate_changes: a row a slice and view: `field`, `value`; `right` and `wrong`, the numbers of
            challenges answered so; `view` from 1; `difference`, the mean share of the fusion in
            right answers minus that in wrong ones, with the ends of its 95% interval, which holds
            for all views at once, null where there are too few images.
        difficulties: a row a logged source row: `source`, `row`, `difficulty` in logits above the
            mean challenge's.
        doubtful: a row a source row whose label able miners contradict: `source`, `row`.
        reasons: why a table is empty, by factor.
    """

    rows: pl.DataFrame
    logged: pl.DataFrame = field(
        default_factory=lambda: no_rows({"latitude": pl.Float64, "longitude": pl.Float64})
    )
    clusters: pl.DataFrame = field(
        default_factory=lambda: no_rows(
            {"name": pl.String, "latitude": pl.Float64, "longitude": pl.Float64}
        )
    )
    slice_losses: pl.DataFrame = field(
        default_factory=lambda: no_rows(
            {**_SLICE, "n": pl.Int64, "share": pl.Float64, "cost": pl.Float64}
            | {"low": pl.Float64, "high": pl.Float64}
        )
    )
    gate_changes: pl.DataFrame = field(
        default_factory=lambda: no_rows(
            {**_SLICE, "right": pl.Int64, "wrong": pl.Int64, "view": pl.Int64}
            | {"difference": pl.Float64, "low": pl.Float64, "high": pl.Float64}
        )
    )
    difficulties: pl.DataFrame = field(
        default_factory=lambda: no_rows({**_LOGGED, "difficulty": pl.Float64})
    )
    doubtful: pl.DataFrame = field(default_factory=lambda: no_rows(_LOGGED))
    reasons: Mapping[str, str] = field(default_factory=dict)


def source_rows(rows: Sequence[TrainingRow]) -> pl.DataFrame:
    """Source rows as a table.

    Returns:
        `source` (the shard's file name), `row`, `label` (0 or 1), `scene` (rows of one have the
        same), `latitude` and `longitude` in degrees, the `SLICE_FIELDS` (weather a list; null where
        not known), and `null_pattern`, which fields but the description are NULL and how.
    """
    return pl.DataFrame([_columns(row) for row in rows], schema=_ROW_SCHEMA, orient="row")


def _columns(row: TrainingRow) -> dict[str, object]:
    latitude, longitude = row.gps or (None, None)
    width, height = row.size
    return {
        "source": row.parquet,
        "row": row.row,
        "label": row.label,
        "scene": row.scene,
        "latitude": latitude,
        "longitude": longitude,
        **{name: _known(row, name) for name in SLICE_FIELDS if name != IMAGE_SIZE},
        IMAGE_SIZE: f"{width} x {height}",
        "null_pattern": _null_pattern(row),
    }


def _known(row: TrainingRow, name: str) -> object:
    """The value, None where it is missing or a word such as "Unknown"."""
    return row.metadata.get(name) if row.metadata.get(f"{name}_null") is None else None


def _null_pattern(row: TrainingRow) -> str:
    kinds = {name: row.metadata.get(f"{name}_null") for name in _PATTERN_FIELDS}
    return ", ".join(f"{name} {NullKind(kind)}" for name, kind in kinds.items() if kind is not None)
