"""Overlap of challenges with training rows: the same row, the same video, or within 100 m.

Rows of the public data set are frames of videos, so two rows can show one street; a score on such a
challenge says little about streets that the model never saw (DOMAIN.md §7).
"""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
from sklearn.neighbors import BallTree

from analytics.leaks.training_rows import GPS_COLUMNS, row_count
from analytics.scoring.metrics import Floats
from analytics.warehouse.statements import statements
from data.records.cities import EARTH_METRES


@dataclass(frozen=True)
class OverlapSettings:
    """`metres`: the great-circle distance up to which a training row overlaps with a challenge."""

    metres: float = 100.0


@dataclass(frozen=True)
class OverlapCounts:
    """Counts of challenges that overlap with training rows, by kind; kinds may hold together.

    `overlapping` of all `challenges` overlap by any kind, `by_row` of the `with_row` that name a
    row, and so on. `training_rows` counts distinct rows, `training_videos` and `training_places`
    the videos and GPS positions in their file, without what the log adds to rows that it names.
    """

    challenges: int
    overlapping: int
    by_row: int
    with_row: int
    by_video: int
    with_video: int
    by_gps: int
    with_gps: int
    metres: float
    training_rows: int
    training_videos: int
    training_places: int


def challenge_overlap(
    connection: duckdb.DuckDBPyConnection,
    training: pl.DataFrame,
    settings: OverlapSettings = OverlapSettings(),
) -> pl.DataFrame:
    """How each challenge of a warehouse overlaps with training rows.

    Args:
        connection: of a warehouse.
        training: columns `parquet` (file name), `row`, `vid_id`, `gps_lat`, `gps_lon`, the last
            three null where not known: challenges that name the row then fill them in.
        settings: the largest distance.

    Returns:
        A row a challenge in order of file and position: `challenge_id`; `by_row`, `by_video` and
        `by_gps`, null where the challenge or every training row lacks that value; `metres` to the
        nearest training row, null likewise; and `overlaps`, whether any of the three holds.
    """
    sources = connection.sql(statements("analytics/leaks/challenge_sources")).pl()
    return source_overlap(sources, training, settings)


def source_overlap(
    sources: pl.DataFrame,
    training: pl.DataFrame,
    settings: OverlapSettings = OverlapSettings(),
) -> pl.DataFrame:
    """How each of some source rows overlaps with training rows.

    Args:
        sources: a row each, `challenge_id` to tell them apart, and `parquet`, `row`, `vid_id`,
            `gps_lat` and `gps_lon`, all null where not known.
        training: as for `challenge_overlap`.
        settings: the largest distance.

    Returns:
        As `challenge_overlap`, in the order of `sources`.
    """
    known = _completed(training, sources)
    rows = known.select("parquet", "row").unique().with_columns(by_row=pl.lit(True))
    videos = known["vid_id"].drop_nulls().unique()
    metres = _nearest(sources, known)
    names_row = pl.col("parquet").is_not_null() & pl.col("row").is_not_null()
    joined = sources.join(rows, on=["parquet", "row"], how="left", maintain_order="left")
    overlap: pl.DataFrame = joined.select(
        "challenge_id",
        by_row=pl.when(names_row).then(pl.col("by_row").fill_null(False)),
        by_video=pl.when(len(videos) > 0).then(pl.col("vid_id").is_in(videos.implode())),
        by_gps=metres <= settings.metres,
        metres=metres,
    )
    kinds = pl.any_horizontal(pl.col("by_row", "by_video", "by_gps").fill_null(False))
    return overlap.with_columns(overlaps=kinds)


def overlap_counts(
    overlap: pl.DataFrame,
    training: pl.DataFrame,
    settings: OverlapSettings = OverlapSettings(),
) -> OverlapCounts:
    """Counts of a result of `challenge_overlap`."""
    kinds = {kind: overlap[f"by_{kind}"] for kind in ("row", "video", "gps")}
    counts: dict[str, Any] = {f"by_{kind}": int(flags.sum()) for kind, flags in kinds.items()}
    counts |= {f"with_{kind}": int(flags.count()) for kind, flags in kinds.items()}
    return OverlapCounts(
        challenges=overlap.height,
        overlapping=int(overlap["overlaps"].sum()),
        metres=settings.metres,
        training_rows=row_count(training),
        training_videos=training["vid_id"].drop_nulls().n_unique(),
        training_places=training.select(GPS_COLUMNS).drop_nulls().n_unique(),
        **counts,
    )


def _completed(training: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Training rows with the video and GPS that challenges on the same rows were logged with."""
    # sorted by id, so that where logs differ the order of files decides nothing
    logged = sources.sort("challenge_id").drop("challenge_id").drop_nulls(["parquet", "row"])
    of_rows = logged.group_by("parquet", "row").agg(pl.all().drop_nulls().first())
    joined = training.join(of_rows, on=["parquet", "row"], how="left", suffix="_logged")
    own_gps = pl.all_horizontal(pl.col(GPS_COLUMNS).is_not_null())
    return joined.select(
        "parquet",
        "row",
        pl.coalesce("vid_id", "vid_id_logged"),
        *(
            pl.when(own_gps).then(pl.col(name)).otherwise(pl.col(f"{name}_logged")).alias(name)
            for name in GPS_COLUMNS
        ),
    )


def _nearest(sources: pl.DataFrame, training: pl.DataFrame) -> pl.Series:
    """Metres from each challenge to the nearest training row; null where either has no GPS."""
    challenges, rows = _radians(sources), _radians(training)
    if not len(challenges) or not len(rows):
        return pl.Series("metres", [None] * sources.height, dtype=pl.Float64)
    # many challenges show one place: each is looked up once
    distinct, index = np.unique(challenges, axis=0, return_inverse=True)
    tree = BallTree(np.unique(rows, axis=0), metric="haversine")
    distances, _ = tree.query(distinct, k=1)
    metres = np.full(sources.height, np.nan)
    has_gps = sources.select(pl.all_horizontal(pl.col(GPS_COLUMNS).is_not_null()))
    metres[has_gps.to_series().to_numpy()] = distances[index, 0] * EARTH_METRES
    return pl.Series("metres", metres).fill_nan(None)


def _radians(frame: pl.DataFrame) -> Floats:
    """Positions in radians, (n, 2), of the rows that have GPS."""
    radians: Floats = np.radians(frame.select(GPS_COLUMNS).drop_nulls().to_numpy())
    return radians
