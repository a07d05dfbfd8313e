"""A user's query for a page: its first rows, and the whole result as a file, in bounded time."""

import csv
import io
import time
from dataclasses import dataclass
from itertools import islice

import pyarrow.parquet as pq

from analytics.queries.user_sql import Row, bounded, refusals_in_one_line, streamed_query
from data.errors import QueryError
from data.store import Store
from data.text import printable_value

_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class QueryBounds:
    """The most that a query may take.

    `rows` are shown; `seconds` is its time, for rows or for a file; `file_bytes` a file's size.
    """

    rows: int = 1_000
    seconds: float = 60.0
    file_bytes: int = 200 * 2**20


@dataclass(frozen=True)
class FirstRows:
    """The first rows of a result; `more` if there are others, `seconds` that they took."""

    columns: list[str]
    rows: list[Row]
    more: bool
    seconds: float


def first_rows(store: Store, sql: str, bounds: QueryBounds = QueryBounds()) -> FirstRows:
    """Run a query and read the first rows of its result.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query, or time was over.
    """
    started = time.perf_counter()
    with streamed_query(store, sql, bounds.seconds) as running:
        rows = list(islice(running.rows, bounds.rows + 1))
    seconds = time.perf_counter() - started
    return FirstRows(running.columns, rows[: bounds.rows], len(rows) > bounds.rows, seconds)


def result_as_csv(store: Store, sql: str, bounds: QueryBounds = QueryBounds()) -> bytes:
    """All rows of a query as CSV in UTF-8; invisible characters in text are escaped.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query, time was over, or the file is too large.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    with streamed_query(store, sql, bounds.seconds) as running:
        writer.writerow(map(printable_value, running.columns))
        for row in running.rows:
            writer.writerow(map(printable_value, row))
            _check_size(file.tell(), bounds)
    return file.getvalue().encode()


def result_as_parquet(store: Store, sql: str, bounds: QueryBounds = QueryBounds()) -> bytes:
    """All rows of a query as a Parquet file, in DuckDB's types.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: DuckDB refused the query, time was over, or the file is too large.
    """
    file = io.BytesIO()
    with bounded(store, bounds.seconds) as connection, refusals_in_one_line(bounds.seconds):
        result = connection.sql(sql)
        if result is None:
            raise QueryError("query", found="no result", expected="rows")
        with (
            result.to_arrow_reader(_BATCH_ROWS) as batches,
            pq.ParquetWriter(file, batches.schema, compression="zstd") as writer,
        ):
            for batch in batches:
                writer.write_batch(batch)
                _check_size(file.tell(), bounds)
    return file.getvalue()


def _check_size(size: int, bounds: QueryBounds) -> None:
    if size > bounds.file_bytes:
        raise QueryError(
            "result",
            found=f"more than {bounds.file_bytes / 2**20:.0f} MB",
            remedy="ask for less, or write it by `streetreplay sql --format csv`",
        )
