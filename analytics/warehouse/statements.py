"""SQL files: each lies in the package that asks the question, in a folder named as the room."""

from importlib import resources
from typing import Any

import duckdb


def statements(name: str) -> str:
    """The text of an SQL file: `analytics/audit/extent` is `analytics/sql/audit/extent.sql`."""
    package, room, file = name.split("/")
    path = resources.files(package).joinpath("sql", room, f"{file}.sql")
    return path.read_text(encoding="utf-8")


def named_rows(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """All rows of an executed query, each as a mapping from column to value."""
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
