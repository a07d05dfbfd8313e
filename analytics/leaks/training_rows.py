"""Reading the rows that a model was trained on, from a Parquet or CSV file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from data.errors import FieldError, SourceError
from data.records import values

GPS_COLUMNS = ("gps_lat", "gps_lon")

_OPTIONAL = ("vid_id", *GPS_COLUMNS)
_DATA_SET_NAMES = {"video_info.vid_id": "vid_id", "original_index": "row"}
_PARQUET = b"PAR1"


def read_training_rows(path: Path) -> pl.DataFrame:
    """The rows that a model was trained on, as `challenge_overlap` takes them.

    A Parquet or CSV file with the columns `parquet` (a shard's name or path) and `row` (0-based),
    and optionally `vid_id` (or `video_info.vid_id`) and GPS in degrees, `gps_lat` and `gps_lon` or
    `gps` as the data set writes it (`[lat, lon]`). Other columns are passed over. A video id is
    text, digits or not: `0007` is not `7`, and `12e7` is no number.

    Raises:
        SourceError: the file cannot be read, lacks a column, names no row, or holds a value that is
            not its own.
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
    if frame.is_empty():
        # as if trained on nothing: every challenge would count as unseen
        raise SourceError(
            f"training rows {path}",
            found="no rows",
            expected="at least one that the model was trained on",
        )
    _check_video_ids(path, frame)
    try:
        return _typed(frame)
    except (FieldError, pl.exceptions.PolarsError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"training rows {path}", found=reason) from None


def row_count(training: pl.DataFrame) -> int:
    """How many distinct rows a frame of training rows names."""
    return training.select("parquet", "row").n_unique()


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
            for axis, name in enumerate(GPS_COLUMNS)
        )
    absent = [pl.lit(None).alias(name) for name in _OPTIONAL if name not in frame.columns]
    typed = frame.with_columns(absent).select(
        parquet=_each(frame["parquet"], values.parquet_name, pl.String()),
        row=_each(frame["row"], values.natural, pl.Int64()),
        vid_id=pl.col("vid_id").cast(pl.String),
        # pandas writes what is missing as NaN
        **{name: pl.col(name).cast(pl.Float64).fill_nan(None) for name in GPS_COLUMNS},
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
