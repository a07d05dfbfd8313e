"""Run a user's SQL on the warehouse, read-only and without access to files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from analytics.warehouse.connection import reading
from data.errors import QueryError
from data.store import Store

Row = tuple[Any, ...]

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class QueryResult:
    """Column names and rows, in DuckDB's Python types."""

    columns: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class StreamedResult:
    """Column names, and rows that DuckDB computes as they are read."""

    columns: list[str]
    rows: Iterator[Row]


def query(store: Store, sql: str) -> QueryResult:
    """Run one query and read all rows of its result.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query; its own words, on one line.
    """
    with streamed_query(store, sql) as running:
        return QueryResult(running.columns, list(running.rows))


@contextmanager
def streamed_query(store: Store, sql: str) -> Iterator[StreamedResult]:
    """Run one query; rows are read while the block lasts, some thousands at a time in memory.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query, or failed while its rows were read.
    """
    with reading(store) as connection:
        connection.execute("SET lock_configuration = true")
        try:
            result = connection.execute(sql)
            # DuckDB gives nothing back for a query that holds no statement
            description = None if result is None else result.description
            columns = [column[0] for column in description or ()]
        except duckdb.Error as error:
            raise _refused(error) from None
        yield StreamedResult(_distinct(columns), _rows(connection) if columns else iter(()))


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    try:
        while rows := connection.fetchmany(_ROWS_AT_ONCE):
            yield from rows
    except duckdb.Error as error:
        raise _refused(error) from None


def _refused(error: duckdb.Error) -> QueryError:
    return QueryError("query", found=" ".join(str(error).split()))


def _distinct(columns: list[str]) -> list[str]:
    """Names made different, as DuckDB does in a table: a, a_1, a_2."""
    seen: dict[str, int] = {}
    distinct = []
    for name in columns:
        count = seen.get(name, 0)
        seen[name] = count + 1
        distinct.append(f"{name}_{count}" if count else name)
    return distinct
