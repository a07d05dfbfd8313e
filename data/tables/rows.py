"""Rows of a table of CSV, Parquet or JSON lines, streamed: the cells that hold a value.

A table of a run's history has thousands of columns, of which a row fills a hundred.
"""

import csv
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

# A cell may hold a whole Media record, and a bound keeps one from taking the memory.
MAX_CELL_CHARACTERS = 16 * 2**20
# A history of 256 uids has some 2,300.
_MOST_COLUMNS = 100_000
_SHOWN = 100
_DELIMITERS = (",", "\t", ";", "|")
_ROWS_AT_A_TIME = 1000
# Nested or text cells may be large, up to the bound.
_LARGE_ROWS_AT_A_TIME = 16
# what pyarrow raises besides its own errors for a file that is damaged
_DAMAGE = (OSError, ValueError, LookupError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Row:
    """A row of a table: its 0-based number, and its cells by the number of their column.

    A cell of a CSV table is text, one of a Parquet table whatever its type becomes in Python. Empty
    cells and NULL are left out.
    """

    number: int
    cells: dict[int, Any]


@dataclass(frozen=True)
class Damage:
    """A row that cannot be read; `rest` if the table ends in it."""

    number: int
    reason: str
    rest: bool = False


@dataclass(frozen=True)
class Table:
    """The names of a table's columns, those that may hold text, and a reader of its rows.

    `rows` reads the columns of these numbers, from the first row on.
    """

    columns: list[str]
    text_columns: list[int]
    rows: Callable[[Collection[int]], Iterator[Row | Damage]]


def csv_table(opened: Callable[[], IO[bytes]]) -> Table:
    """A table of CSV text, with the delimiter that its first line has.

    Args:
        opened: opens the text, in UTF-8, from its start.

    Raises:
        OSError: it cannot be read.
    """
    # the default bound is smaller than a Media record may be; it holds for the whole process
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    with opened() as stream:
        first = stream.readline(MAX_CELL_CHARACTERS).decode("utf-8", "replace")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        columns = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error as error:
        raise OSError(str(error)) from None

    def rows(wanted: Collection[int]) -> Iterator[Row | Damage]:
        with opened() as stream:
            yield from _csv_rows(stream, delimiter, len(columns), sorted(wanted))

    return Table(columns, list(range(len(columns))), rows)


def _csv_rows(
    stream: IO[bytes], delimiter: str, width: int, wanted: list[int]
) -> Iterator[Row | Damage]:
    reader = csv.reader(_lines(stream), delimiter=delimiter)
    number = -1  # of the row of names
    while True:  # not `for`: reading the next row may raise
        try:
            fields = next(reader, None)
        except csv.Error as error:
            yield Damage(number, str(error))
            number += 1
            continue
        except OSError as error:
            yield Damage(number, str(error.strerror or error), rest=True)
            return
        if fields is None:
            return
        if not fields:
            continue
        if number >= 0 and len(fields) == width:
            yield Row(number, {column: fields[column] for column in wanted if fields[column]})
        elif number >= 0:
            yield Damage(number, f"{len(fields)} fields in place of {width}")
        number += 1


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Lines of text, the longest in pieces. Where data is damaged the line that it cuts is lost."""
    while line := stream.readline(MAX_CELL_CHARACTERS):
        yield line.decode("utf-8", "replace")


def json_lines_table(opened: Callable[[], IO[bytes]]) -> Table:
    """A table of rows that are JSON objects, one a line; a column a key, in the order found.

    Args:
        opened: opens the text, in UTF-8, from its start.

    Raises:
        OSError: it cannot be opened, or has more columns than any history.
    """
    columns: dict[str, int] = {}
    for row in _json_rows(opened):
        for name in () if isinstance(row, Damage) else row[1]:
            columns.setdefault(name, len(columns))
        if len(columns) > _MOST_COLUMNS:
            raise OSError(f"more than {_MOST_COLUMNS} columns")

    def rows(wanted: Collection[int]) -> Iterator[Row | Damage]:
        read = set(wanted)
        for row in _json_rows(opened):
            if isinstance(row, Damage):
                yield row
                continue
            number, values = row
            places = ((columns.get(name, -1), value) for name, value in values.items())
            cells = {at: value for at, value in places if at in read and value is not None}
            yield Row(number, cells)

    return Table(list(columns), [], rows)


def _json_rows(opened: Callable[[], IO[bytes]]) -> Iterator[tuple[int, dict[str, Any]] | Damage]:
    """Each row's number and values."""
    number = 0
    try:
        with opened() as stream:
            while line := stream.readline(MAX_CELL_CHARACTERS):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    problem = "" if isinstance(row, dict) else f"a JSON {type(row).__name__}"
                except (ValueError, RecursionError) as error:
                    ended = "" if line.endswith(b"\n") else " (a line that was cut off)"
                    problem = f"no JSON{ended}: {_one_line(error)[:_SHOWN]}"
                yield Damage(number, problem) if problem else (number, row)
                number += 1
    except OSError as error:
        yield Damage(number, str(error.strerror or error), rest=True)


def parquet_table(path: Path) -> Table:
    """A table of a Parquet file.

    Raises:
        OSError: it cannot be read.
    """
    # pyarrow is slow to import: only a Parquet file needs it
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, *_DAMAGE) as error:
        raise OSError(_one_line(error)) from None
    types = pa.types
    text = [
        column
        for column, kind in enumerate(schema.types)
        if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    ]
    small = [
        types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
        for kind in schema.types
    ]

    def rows(wanted: Collection[int]) -> Iterator[Row | Damage]:
        at_a_time = _ROWS_AT_A_TIME if all(small[c] for c in wanted) else _LARGE_ROWS_AT_A_TIME
        return _parquet_rows(path, schema.names, sorted(wanted), at_a_time)

    return Table(schema.names, text, rows)


def _parquet_rows(
    path: Path, names: list[str], wanted: list[int], at_a_time: int
) -> Iterator[Row | Damage]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = [names[column] for column in wanted]
            for batch in file.iter_batches(at_a_time, columns=columns, use_threads=False):
                rows = _sparse(batch, [(column, names[column]) for column in wanted])
                yield from (Row(number + place, cells) for place, cells in enumerate(rows))
                number += len(rows)
    except (pa.ArrowException, *_DAMAGE) as error:
        yield Damage(number, _one_line(error), rest=True)


def _sparse(batch: Any, wanted: list[tuple[int, str]]) -> list[dict[int, Any]]:
    rows: list[dict[int, Any]] = [{} for _ in range(batch.num_rows)]
    for column, name in wanted:
        array = batch.column(name)
        if array.null_count == len(array):
            continue
        places = np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False))
        for place, value in zip(places.tolist(), array.drop_null().to_pylist(), strict=True):
            rows[place][column] = value
    return rows


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
