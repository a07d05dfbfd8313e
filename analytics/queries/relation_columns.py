"""The store's relations with their columns: what can be asked for in SQL."""

from dataclasses import dataclass
from itertools import groupby

import duckdb

from analytics.warehouse.statements import statements


@dataclass(frozen=True)
class Column:
    """A column's name and its type in DuckDB."""

    name: str
    type: str


@dataclass(frozen=True)
class Relation:
    """A table or view, and its columns in their order."""

    name: str
    columns: tuple[Column, ...]


def relation_columns(connection: duckdb.DuckDBPyConnection) -> list[Relation]:
    """All relations of the warehouse, by name."""
    rows = connection.execute(statements("analytics/queries/relation_columns")).fetchall()
    return [
        Relation(name, tuple(Column(column, kind) for _, column, kind in columns))
        for name, columns in groupby(rows, key=lambda row: row[0])
    ]
