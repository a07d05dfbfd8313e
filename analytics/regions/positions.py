"""Positions and labels of logged challenges, and of the rows of source shards."""

import duckdb
import polars as pl

from analytics.warehouse.statements import statements
from data.errors import FieldError
from data.records import values
from data.records.cities import position_problem
from data.sources.row_metadata import row_metadata
from data.sources.shards import Shards

SOURCE_SCHEMA = {
    "source": pl.String,
    "row": pl.Int64,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "label": pl.Int64,
}


def challenge_positions(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """A row a challenge: challenge_id, label, and latitude and longitude in degrees or null."""
    frame: pl.DataFrame = connection.sql(statements("analytics/regions/challenge_positions")).pl()
    return frame


def source_positions(shards: Shards) -> pl.DataFrame:
    """A row a row of the shards: latitude and longitude in degrees or null, label 0, 1 or null.

    `source` is its shard's file name, `row` its number there.
    A position that cannot be that of its row, as of another city, is null: as in a log.

    Raises:
        SourceError: a shard cannot be read, or is not of the public data set's form.
    """
    columns: dict[str, list[str | float | int | None]] = {name: [] for name in SOURCE_SCHEMA}
    for name in shards.names:
        metadata = row_metadata(shards[name], ("label", "gps", "city_name"))
        for number, row in enumerate(metadata):
            columns["source"].append(name)
            columns["row"].append(number)
            latitude, longitude = _position(row.get("gps"), row.get("city_name"))
            columns["latitude"].append(latitude)
            columns["longitude"].append(longitude)
            columns["label"].append(row["label"] if row["label"] in (0, 1) else None)
    return pl.DataFrame(columns, schema=SOURCE_SCHEMA)


def _position(gps: object, city: object) -> tuple[float, float] | tuple[None, None]:
    if values.null_kind(gps) is not None:
        return None, None
    try:
        latitude, longitude = values.gps(gps)
    except FieldError:
        return None, None
    named = city if isinstance(city, str) else None
    return (None, None) if position_problem(latitude, longitude, named) else (latitude, longitude)
