"""Load SQL files, and the rows of their results."""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import duckdb

_BATCH_ROWS = 10_000


def statements(name: str) -> str:
    """The text of `PACKAGE/sql/SUBPACKAGE/FILE.sql`, of the name `PACKAGE/SUBPACKAGE/FILE`."""
    package, subpackage, file = name.split("/")
    path = resources.files(package).joinpath("sql", subpackage, f"{file}.sql")
    return path.read_text(encoding="utf-8")


def named_rows(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """All rows of an executed query, each as a mapping from column to value."""
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def each_row(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """The rows of an executed query, of which only some are in Python's memory at a time."""
    while rows := result.fetchmany(_BATCH_ROWS):
        yield from rows
