"""Load SQL files, and the rows of their results."""

from importlib import resources
from typing import Any

import duckdb


def statements(name: str) -> str:
    """The text of `PACKAGE/sql/SUBPACKAGE/FILE.sql`, of the name `PACKAGE/SUBPACKAGE/FILE`."""
    package, subpackage, file = name.split("/")
    path = resources.files(package).joinpath("sql", subpackage, f"{file}.sql")
    return path.read_text(encoding="utf-8")


def named_rows(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """All rows of an executed query, each as a mapping from column to value."""
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
