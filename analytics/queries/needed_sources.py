"""Which rows of the public data set a log needs, for whoever looks for their images."""

from dataclasses import dataclass

import duckdb

from analytics.warehouse.statements import statements


@dataclass(frozen=True)
class NeededShard:
    """A shard that challenges name: how many different rows of it, and by how many challenges.

    `parquet` is its file name; None for challenges that name no shard.
    """

    parquet: str | None
    rows: int
    challenges: int


def needed_sources(connection: duckdb.DuckDBPyConnection) -> list[NeededShard]:
    """The shards that real challenges need, in order of their names."""
    rows = connection.execute(statements("analytics/queries/needed_sources")).fetchall()
    return [NeededShard(*row) for row in rows]
