"""Run a user's SQL on the warehouse, read-only and without access to files."""

import threading
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
def streamed_query(
    store: Store, sql: str, seconds: float | None = None, memory: str | None = None
) -> Iterator[StreamedResult]:
    """Run one query; rows are read while the block lasts, some thousands at a time in memory.

    Args:
        store: with a warehouse.
        sql: the query.
        seconds: the most that it may take, with the reading of its rows; None: as long as it likes.
        memory: the most that DuckDB may take, as it writes it, without a disk; None: its default.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query, or failed while its rows were read, or time was over.
    """
    with bounded(store, seconds, memory) as connection:
        with refusals_in_one_line(seconds):
            result = connection.execute(sql)
            # DuckDB gives nothing back for a query that holds no statement
            description = None if result is None else result.description
        columns = [column[0] for column in description or ()]
        yield StreamedResult(
            distinct_names(columns), _rows(connection, seconds) if columns else iter(())
        )


@contextmanager
def bounded(
    store: Store, seconds: float | None, memory: str | None = None, *, lossless: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose settings cannot be changed, interrupted when its time is over.

    Args:
        store: with a warehouse.
        seconds: the most that it may be open; None: as long as it likes.
        memory: the most that DuckDB may take, as it writes it, without a disk; None: its default.
        lossless: types that Arrow lacks come as DuckDB's own extensions of it.

    Raises:
        StoreError: the store holds no warehouse.
    """
    with reading(store) as connection:
        if memory is not None:
            # else a large sort would write beside whatever folder the server was started in
            connection.execute(
                f"SET memory_limit = '{memory}'; SET max_temp_directory_size = '0KB'"
            )
        if lossless:
            connection.execute("SET arrow_lossless_conversion = true")
        connection.execute("SET lock_configuration = true")
        if seconds is None:
            yield connection
            return
        timer = threading.Timer(seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield connection
        finally:
            timer.cancel()
            timer.join()


def _rows(connection: duckdb.DuckDBPyConnection, seconds: float | None) -> Iterator[Row]:
    with refusals_in_one_line(seconds):
        while rows := connection.fetchmany(_ROWS_AT_ONCE):
            yield from rows


@contextmanager
def refusals_in_one_line(seconds: float | None) -> Iterator[None]:
    """Raise DuckDB's errors as a QueryError in its own words, on one line."""
    try:
        yield
    except duckdb.InterruptException:
        raise QueryError(
            "query",
            found=f"no end after {seconds:g} seconds",
            remedy="ask for less, or run it by `streetreplay sql`",
        ) from None
    except duckdb.Error as error:
        raise QueryError("query", found=" ".join(str(error).split())) from None


def distinct_names(columns: list[str]) -> list[str]:
    """Names made different, as DuckDB does in a table: a, a_1, a_2."""
    seen: dict[str, int] = {}
    distinct = []
    for name in columns:
        count = seen.get(name, 0)
        seen[name] = count + 1
        distinct.append(f"{name}_{count}" if count else name)
    return distinct
