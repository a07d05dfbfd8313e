"""A user's own SQL on the warehouse, read-only, able to reach nothing but the warehouse."""

from dataclasses import dataclass
from typing import Any

import duckdb

from analytics.warehouse import reading
from data.errors import QueryError
from data.store import Store


@dataclass(frozen=True)
class QueryResult:
    """Column names and rows, in DuckDB's Python types."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def query(store: Store, sql: str) -> QueryResult:
    """Run one query.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query; its own words, on one line.
    """
    with reading(store) as connection:
        try:
            result = connection.execute(sql)
            # DuckDB gives nothing back for a query that holds no statement
            columns = [column[0] for column in (result and result.description) or ()]
            return QueryResult(_distinct(columns), result.fetchall() if columns else [])
        except duckdb.Error as error:
            words = " ".join(str(error).split())
            raise QueryError("query", found=words) from None


def _distinct(columns: list[str]) -> list[str]:
    """Names made different, as DuckDB does in a table: a, a_1, a_2."""
    seen: dict[str, int] = {}
    distinct = []
    for name in columns:
        count = seen.get(name, 0)
        seen[name] = count + 1
        distinct.append(f"{name}_{count}" if count else name)
    return distinct
