"""Shards of the public data set that the logged challenges name, and how many of their rows."""

from dataclasses import dataclass

import duckdb

from analytics.warehouse.statements import named_rows, statements


@dataclass(frozen=True)
class NeededShard:
    """A shard, and how many of its rows how many challenges name.

    `parquet` is its file name; None for challenges that name no shard.
    """

    parquet: str | None
    rows: int
    challenges: int


def needed_sources(connection: duckdb.DuckDBPyConnection) -> list[NeededShard]:
    """The shards that real challenges need, in order of their names."""
    rows = named_rows(connection.execute(statements("analytics/queries/needed_sources")))
    return [NeededShard(**row) for row in rows]
