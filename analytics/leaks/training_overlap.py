"""Which challenges a model was trained on: the same row, the same video, or within 100 m.

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
    """`metres`: a training row at most so far from a challenge, by great circle, overlaps it."""

    metres: float = 100.0


@dataclass(frozen=True)
class OverlapCounts:
    """Challenges by how they overlap with training rows; `any` of the kinds may hold together.

    Of all `challenges`, `by_row` of the `with_row` that name a row, and so on. `training_rows` are
    distinct rows; `training_videos` and `training_places` are what their file itself gives, without
    what the log adds to rows that it names.
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
        found = _read(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(
            f"training rows {path}", found=words, expected="a Parquet or CSV file"
        ) from None
    new = {old: new for old, new in _DATA_SET_NAMES.items() if new not in found.columns}
    found = found.rename(new, strict=False)
    missing = {"parquet", "row"} - set(found.columns)
    if missing:
        raise SourceError(
            f"training rows {path}",
            found=f"no column {min(missing)}",
            expected="the columns parquet and row",
        )
    _check_video_ids(path, found)
    try:
        return _typed(found)
    except (FieldError, pl.exceptions.PolarsError) as error:
        words = " ".join(str(error).split())
        raise SourceError(f"training rows {path}", found=words) from None


def _read(path: Path) -> pl.DataFrame:
    """The file as it is, told by content, without guessing types of a CSV's columns: each is text.

    `glob` is off, for brackets in a name are no pattern.
    """
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    if is_parquet:
        return pl.read_parquet(path, glob=False)
    return pl.read_csv(path, infer_schema=False, glob=False)


def _check_video_ids(path: Path, found: pl.DataFrame) -> None:
    """Refuse numbers: whoever wrote them has lost zeros in front, and read `12e7` as a power."""
    kind = found.schema.get("vid_id", pl.String())
    if kind not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise SourceError(
            f"training rows {path}",
            found=f"vid_id as {kind}",
            expected="text, for 0007 is not 7",
            remedy="write that column as text (pandas: read_csv with dtype=str)",
        )


def _typed(found: pl.DataFrame) -> pl.DataFrame:
    if "gps" in found.columns:
        pairs = [None if value is None else values.gps(value) for value in found["gps"].to_list()]
        found = found.with_columns(
            pl.Series(name, [pair and pair[place] for pair in pairs], dtype=pl.Float64)
            for place, name in enumerate(_GPS)
        )
    absent = [pl.lit(None).alias(name) for name in _OPTIONAL if name not in found.columns]
    typed = found.with_columns(absent).select(
        parquet=_each(found["parquet"], values.parquet_name, pl.String()),
        row=_each(found["row"], values.natural, pl.Int64()),
        vid_id=pl.col("vid_id").cast(pl.String),
        # pandas writes what is missing as NaN
        **{name: pl.col(name).cast(pl.Float64).fill_nan(None) for name in _GPS},
    )
    if typed.filter(~_on_earth() & pl.col("gps_lat").is_not_null()).height:
        raise FieldError("value", expected="degrees in -90..90, -180..180")
    vid_id = [None if values.null_kind(one) else one for one in typed["vid_id"].to_list()]
    return typed.with_columns(vid_id=pl.Series(vid_id, dtype=pl.String)).unique(maintain_order=True)


def _each(column: pl.Series, parse: Callable[[object], Any], kind: pl.DataType) -> pl.Series:
    """Every value parsed; a row, for instance, may be a number, 3.0, or text."""
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
            three null where not known: they are then taken from challenges that name the row.
        settings: how near is near.

    Returns:
        A row a challenge in order of file and position: `challenge_id`; `by_row`, `by_video` and
        `by_gps`, null where the challenge does not say, or no training row does; `metres` to the
        nearest training row, null likewise; and `overlaps`, whether any of the three holds.
    """
    places = connection.sql(statements("analytics/leaks/places")).pl()
    known = _completed(training, places)
    rows = known.select("parquet", "row").unique().with_columns(by_row=pl.lit(True))
    videos = known["vid_id"].drop_nulls().unique()
    metres = _nearest(places, known)
    names_row = pl.col("parquet").is_not_null() & pl.col("row").is_not_null()
    joined = places.join(rows, on=["parquet", "row"], how="left", maintain_order="left")
    found: pl.DataFrame = joined.select(
        "challenge_id",
        by_row=pl.when(names_row).then(pl.col("by_row").fill_null(False)),
        by_video=pl.when(len(videos) > 0).then(pl.col("vid_id").is_in(videos.implode())),
        by_gps=metres <= settings.metres,
        metres=metres,
    )
    kinds = pl.any_horizontal(pl.col("by_row", "by_video", "by_gps").fill_null(False))
    return found.with_columns(overlaps=kinds)


def row_count(training: pl.DataFrame) -> int:
    """How many distinct rows a frame of training rows names."""
    return training.select("parquet", "row").n_unique()


def overlap_counts(
    overlap: pl.DataFrame,
    training: pl.DataFrame,
    settings: OverlapSettings = OverlapSettings(),
) -> OverlapCounts:
    """Count what `challenge_overlap` found."""
    kinds = {kind: overlap[f"by_{kind}"] for kind in ("row", "video", "gps")}
    counts: dict[str, Any] = {f"by_{kind}": int(found.sum()) for kind, found in kinds.items()}
    counts |= {f"with_{kind}": int(found.count()) for kind, found in kinds.items()}
    return OverlapCounts(
        challenges=overlap.height,
        overlapping=int(overlap["overlaps"].sum()),
        metres=settings.metres,
        training_rows=row_count(training),
        training_videos=training["vid_id"].drop_nulls().n_unique(),
        training_places=training.select(_GPS).drop_nulls().n_unique(),
        **counts,
    )


def _completed(training: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Training rows with the video and GPS that challenges on the same rows were logged with."""
    # by id, as logs may differ and no file's name is to decide
    logged = places.sort("challenge_id").drop("challenge_id").drop_nulls(["parquet", "row"])
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


def _nearest(places: pl.DataFrame, training: pl.DataFrame) -> pl.Series:
    """Metres from each challenge to the nearest training row; null where either has no GPS."""
    wanted, known = _radians(places.drop_nulls(_GPS)), _radians(training.drop_nulls(_GPS))
    if not len(wanted) or not len(known):
        return pl.Series("metres", [None] * places.height, dtype=pl.Float64)
    # many challenges show one place: each is looked up once
    distinct, back = np.unique(wanted, axis=0, return_inverse=True)
    tree = BallTree(np.unique(known, axis=0), metric="haversine")
    distances, _ = tree.query(distinct, k=1)
    metres = np.full(places.height, np.nan)
    has_gps = places.select(pl.all_horizontal(pl.col(_GPS).is_not_null())).to_series().to_numpy()
    metres[has_gps] = distances[back, 0] * EARTH_METRES
    return pl.Series("metres", metres).fill_nan(None)


def _radians(places: pl.DataFrame) -> Floats:
    found: Floats = np.radians(places.select(_GPS).to_numpy())
    return found
