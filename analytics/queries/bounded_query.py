"""A user's query for a page: its first rows, and the whole result as a file, within bounds.

A result that is shown whole is kept as Arrow, so that its files need no second run of the query.
"""

import csv
import io
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.queries.user_sql import (
    Row,
    bounded,
    distinct_names,
    refusals_in_one_line,
    streamed_query,
)
from data.errors import QueryError
from data.store import Store
from data.text import printable_value

_BATCH_ROWS = 1_000
_READING = (
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.MULTI,  # a PIVOT, which DuckDB makes two of
)


@dataclass(frozen=True)
class QueryBounds:
    """The most that a query may take.

    `rows` are shown; `seconds` is its time, for rows or for a file; `file_bytes` a file's size;
    `memory` DuckDB's, as it writes it: what needs more is refused, for nothing goes to a disk.
    """

    rows: int = 1_000
    seconds: float = 60.0
    file_bytes: int = 200 * 2**20
    memory: str = "1GB"


@dataclass(frozen=True)
class FirstRows:
    """The first rows of a result; `more` if there are others, `seconds` that they took.

    `whole` is the same as Arrow, where there are no more.
    """

    columns: list[str]
    rows: list[Row]
    more: bool
    seconds: float
    whole: pa.Table | None = None


def first_rows(store: Store, sql: str, bounds: QueryBounds = QueryBounds()) -> FirstRows:
    """Run a query and read the first rows of its result.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query, it does more than read, or time or memory was over.
    """
    started = time.perf_counter()
    # DuckDB's own types, which have no like in Arrow, are kept as they are
    with _answering(store, sql, bounds, lossless=True) as result:
        if result is None:
            return FirstRows([], [], more=False, seconds=time.perf_counter() - started)
        columns = distinct_names(result.columns)
        with result.to_arrow_reader(_BATCH_ROWS) as batches:
            table = pa.Table.from_batches(_up_to(batches, bounds.rows + 1), batches.schema)
    seconds = time.perf_counter() - started
    more = table.num_rows > bounds.rows
    table = table.slice(0, bounds.rows).rename_columns(columns)
    with _restoring() as connection:
        rows = connection.from_arrow(table).fetchall()
    return FirstRows(columns, rows, more, seconds, None if more else table)


def result_as_csv(store: Store, sql: str, bounds: QueryBounds = QueryBounds()) -> bytes:
    """All rows of a query as CSV in UTF-8; invisible characters in text are escaped.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: as for `first_rows`, or the file is too large.
    """
    _check_reads(sql)
    with streamed_query(store, sql, bounds.seconds, bounds.memory) as running:
        return _csv(running.columns, running.rows, bounds)


def rows_as_csv(first_rows: FirstRows, bounds: QueryBounds = QueryBounds()) -> bytes:
    """The same, of a result that is whole.

    Raises:
        QueryError: the file is too large.
    """
    return _csv(first_rows.columns, first_rows.rows, bounds)


def result_as_parquet(store: Store, sql: str, bounds: QueryBounds = QueryBounds()) -> bytes:
    """All rows of a query as a Parquet file, in DuckDB's types.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: as for `first_rows`, a type has no like in Parquet, or the file is too large.
    """
    with _answering(store, sql, bounds) as result:
        if result is None:
            raise QueryError("query", found="no result", expected="rows")
        return _parquet(result, bounds)


def table_as_parquet(table: pa.Table, bounds: QueryBounds = QueryBounds()) -> bytes:
    """The same, of a result that is whole.

    Raises:
        QueryError: a type has no like in Parquet, or the file is too large.
    """
    with _restoring() as connection:
        return _parquet(connection.from_arrow(table), bounds)


@contextmanager
def _answering(
    store: Store, sql: str, bounds: QueryBounds, *, lossless: bool = False
) -> Iterator[duckdb.DuckDBPyRelation | None]:
    """The result of a query that only reads, whose rows are computed as they are read."""
    _check_reads(sql)
    with (
        bounded(store, bounds.seconds, bounds.memory, lossless=lossless) as connection,
        refusals_in_one_line(bounds.seconds),
    ):
        yield connection.sql(sql)


def _check_reads(sql: str) -> None:
    """Refuse what could write, attach or set: DuckDB would refuse most of it, but not all."""
    with duckdb.connect() as connection, refusals_in_one_line(None):
        kinds = [statement.type for statement in connection.extract_statements(sql)]
    for kind in kinds:
        if kind not in _READING:
            raise QueryError(
                "query",
                found=f"a statement of the kind {kind.name}",
                expected="SELECT, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW, PIVOT or EXPLAIN",
            )


@contextmanager
def _restoring() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database, in which Arrow's tables become DuckDB's rows again."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _up_to(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.slice(0, rows)
        rows -= batch.num_rows
        if rows <= 0:
            return


def _csv(columns: Iterable[str], rows: Iterable[Row], bounds: QueryBounds) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(printable_value, columns))
    for row in rows:
        writer.writerow(map(printable_value, row))
        _check_size(file.tell(), bounds)
    return file.getvalue().encode()


def _parquet(result: duckdb.DuckDBPyRelation, bounds: QueryBounds) -> bytes:
    file, names = io.BytesIO(), distinct_names(result.columns)
    try:
        with result.to_arrow_reader(_BATCH_ROWS) as batches:
            named = zip(batches.schema, names, strict=True)
            schema = pa.schema([field.with_name(name) for field, name in named])
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch.rename_columns(names))
                    _check_size(file.tell(), bounds)
    except pa.ArrowNotImplementedError as error:
        raise QueryError(
            "result", found=" ".join(str(error).split()), remedy="cast that column, or take CSV"
        ) from None
    return file.getvalue()


def _check_size(size: int, bounds: QueryBounds) -> None:
    if size > bounds.file_bytes:
        raise QueryError(
            "result",
            found=f"more than {bounds.file_bytes / 2**20:.0f} MB",
            remedy="ask for less, or write it by `streetreplay sql --format csv`",
        )
