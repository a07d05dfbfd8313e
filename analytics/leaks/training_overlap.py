"""Overlap of challenges with training rows: the same row, the same video, or within 100 m.

Rows of the public data set are frames of videos, so two rows can show one street; a score on such a
challenge says little about streets that the model never saw (DOMAIN.md §7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
from sklearn.neighbors import BallTree

from analytics.scoring.metrics import Floats
from analytics.warehouse.statements import statements
from data.errors import FieldError, SourceError
from data.records import values
from data.records.cities import EARTH_METRES

_OPTIONAL = ("vid_id", "gps_lat", "gps_lon")
_DATA_SET_NAMES = {"video_info.vid_id": "vid_id", "original_index": "row"}
_GPS = ("gps_lat", "gps_lon")
_PARQUET = b"PAR1"


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


def read_training_rows(path: Path) -> pl.DataFrame:
    """The rows that a model was trained on, as `challenge_overlap` takes them.

    A Parquet or CSV file with the columns `parquet` (a shard's name or path) and `row` (0-based),
    and optionally `vid_id` (or `video_info.vid_id`) and GPS in degrees, `gps_lat` and `gps_lon` or
    `gps` as the data set writes it (`[lat, lon]`). Other columns are passed over. A video id is
    text, digits or not: `0007` is not `7`, and `12e7` is no number.

    Raises:
        SourceError: the file cannot be read, lacks a column, or holds a value that is not its own.
    """
    try:
        frame = _read(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(
            f"training rows {path}", found=reason, expected="a Parquet or CSV file"
        ) from None
    names = {old: new for old, new in _DATA_SET_NAMES.items() if new not in frame.columns}
    frame = frame.rename(names, strict=False)
    missing = {"parquet", "row"} - set(frame.columns)
    if missing:
        raise SourceError(
            f"training rows {path}",
            found=f"no column {min(missing)}",
            expected="the columns parquet and row",
        )
    _check_video_ids(path, frame)
    try:
        return _typed(frame)
    except (FieldError, pl.exceptions.PolarsError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"training rows {path}", found=reason) from None


def _read(path: Path) -> pl.DataFrame:
    """The file's columns as they are, its format read from its content; of a CSV all are text.

    `glob` is off, as brackets in a file's name are no pattern.
    """
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    if is_parquet:
        return pl.read_parquet(path, glob=False)
    return pl.read_csv(path, infer_schema=False, glob=False)


def _check_video_ids(path: Path, frame: pl.DataFrame) -> None:
    """Refuse numeric video ids: they have lost leading zeros, and `12e7` became a power."""
    kind = frame.schema.get("vid_id", pl.String())
    if kind not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise SourceError(
            f"training rows {path}",
            found=f"vid_id as {kind}",
            expected="text, for 0007 is not 7",
            remedy="write that column as text (pandas: read_csv with dtype=str)",
        )


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    if "gps" in frame.columns:
        pairs = [None if text is None else values.gps(text) for text in frame["gps"].to_list()]
        frame = frame.with_columns(
            pl.Series(
                name, [None if pair is None else pair[axis] for pair in pairs], dtype=pl.Float64
            )
            for axis, name in enumerate(_GPS)
        )
    absent = [pl.lit(None).alias(name) for name in _OPTIONAL if name not in frame.columns]
    typed = frame.with_columns(absent).select(
        parquet=_each(frame["parquet"], values.parquet_name, pl.String()),
        row=_each(frame["row"], values.natural, pl.Int64()),
        vid_id=pl.col("vid_id").cast(pl.String),
        # pandas writes what is missing as NaN
        **{name: pl.col(name).cast(pl.Float64).fill_nan(None) for name in _GPS},
    )
    if typed.filter(~_on_earth() & pl.col("gps_lat").is_not_null()).height:
        raise FieldError("value", expected="degrees in -90..90, -180..180")
    vid_id = [None if values.null_kind(text) else text for text in typed["vid_id"].to_list()]
    return typed.with_columns(vid_id=pl.Series(vid_id, dtype=pl.String)).unique(maintain_order=True)


def _each(column: pl.Series, parse: Callable[[object], Any], kind: pl.DataType) -> pl.Series:
    """A column with each value parsed: a row, for instance, may be 3, 3.0 or text."""
    return pl.Series(column.name, [parse(value) for value in column.to_list()], dtype=kind)


def _on_earth() -> pl.Expr:
    return (pl.col("gps_lat").abs() <= 90) & (pl.col("gps_lon").abs() <= 180)  # noqa: PLR2004


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


def row_count(training: pl.DataFrame) -> int:
    """How many distinct rows a frame of training rows names."""
    return training.select("parquet", "row").n_unique()


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
        training_places=training.select(_GPS).drop_nulls().n_unique(),
        **counts,
    )


def _completed(training: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Training rows with the video and GPS that challenges on the same rows were logged with."""
    # sorted by id, so that where logs differ the order of files decides nothing
    logged = sources.sort("challenge_id").drop("challenge_id").drop_nulls(["parquet", "row"])
    of_rows = logged.group_by("parquet", "row").agg(pl.all().drop_nulls().first())
    joined = training.join(of_rows, on=["parquet", "row"], how="left", suffix="_logged")
    own_gps = pl.all_horizontal(pl.col(_GPS).is_not_null())
    return joined.select(
        "parquet",
        "row",
        pl.coalesce("vid_id", "vid_id_logged"),
        *(
            pl.when(own_gps).then(pl.col(name)).otherwise(pl.col(f"{name}_logged")).alias(name)
            for name in _GPS
        ),
    )


def _nearest(sources: pl.DataFrame, training: pl.DataFrame) -> pl.Series:
    """Metres from each challenge to the nearest training row; null where either has no GPS."""
    challenges, rows = _radians(sources.drop_nulls(_GPS)), _radians(training.drop_nulls(_GPS))
    if not len(challenges) or not len(rows):
        return pl.Series("metres", [None] * sources.height, dtype=pl.Float64)
    # many challenges show one place: each is looked up once
    distinct, index = np.unique(challenges, axis=0, return_inverse=True)
    tree = BallTree(np.unique(rows, axis=0), metric="haversine")
    distances, _ = tree.query(distinct, k=1)
    metres = np.full(sources.height, np.nan)
    has_gps = sources.select(pl.all_horizontal(pl.col(_GPS).is_not_null())).to_series().to_numpy()
    metres[has_gps] = distances[index, 0] * EARTH_METRES
    return pl.Series("metres", metres).fill_nan(None)


def _radians(positions: pl.DataFrame) -> Floats:
    radians: Floats = np.radians(positions.select(_GPS).to_numpy())
    return radians
