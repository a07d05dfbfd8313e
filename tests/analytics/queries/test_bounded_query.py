"""A user's query with bounds, and its files; the oracle is DuckDB on the published file itself."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from analytics.queries.bounded_query import (
    QueryBounds,
    first_rows,
    result_as_csv,
    result_as_parquet,
    rows_as_csv,
    table_as_parquet,
)
from analytics.queries.example_queries import example_queries
from analytics.queries.relation_columns import relation_columns
from analytics.warehouse.connection import reading
from analytics.warehouse.relations import RELATIONS
from data.errors import QueryError
from data.store import Store
from tests.made_once import golden_store

ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
HOSTILE = 'SELECT \'a\x1b[2J,"\n\u202eb\' AS "=1+1", [1, 2] AS list, 1.5::DECIMAL(4, 2) AS number'


@pytest.fixture
def filled(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Store:
    return golden_store(tmp_path_factory, tmp_path / "store", "e9")


def _direct(store: Store, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(store.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_the_first_rows_are_those_of_duckdb_and_say_whether_there_are_more(filled: Store) -> None:
    sql = "SELECT challenge_id, label FROM media ORDER BY challenge_id"
    rows = _direct(filled, sql)
    some = first_rows(filled, sql, QueryBounds(rows=len(rows) - 1))
    assert (some.rows, some.more) == (rows[:-1], True)
    every = first_rows(filled, sql, QueryBounds(rows=len(rows)))
    assert (every.columns, every.rows, every.more) == (["challenge_id", "label"], rows, False)
    assert first_rows(filled, "-- nothing").columns == []


def test_files_hold_all_rows(filled: Store) -> None:
    sql = "SELECT * FROM responses ORDER BY ALL"
    bounds = QueryBounds(rows=1)
    rows = _direct(filled, sql)
    parquet = pq.read_table(io.BytesIO(result_as_parquet(filled, sql, bounds)))
    assert [tuple(row.values()) for row in parquet.to_pylist()] == rows
    heading, *written = csv.reader(io.StringIO(result_as_csv(filled, sql, bounds).decode()))
    assert heading == parquet.column_names
    assert written == [["" if value is None else str(value) for value in row] for row in rows]


TYPES = (
    "SELECT 1::HUGEINT * 170141183460469231731687303715884105727 AS huge, 1.5::DECIMAL(4, 2) AS d, "
    "TIMESTAMPTZ '2026-01-01 12:00+02' AS at, DATE '2026-01-01' AS day, TIME '12:00' AS time, "
    "[1, NULL] AS list, {'a': 1} AS struct, MAP {'k': 2} AS map, 'b'::ENUM ('a', 'b') AS enum, "
    "'x'::BLOB AS blob, 'e37dd3e9-48f5-4b4b-a9b6-8d5d0c1e2f3a'::UUID AS id, NULL AS nothing, "
    "true AS yes, 1 AS a, 2 AS a"
)


def test_a_whole_result_has_its_files_without_a_second_run(filled: Store) -> None:
    """Equal to those of a second run, and of DuckDB's own values, whatever the types."""
    found = first_rows(filled, TYPES)
    assert found.rows == _direct(filled, f"SET TimeZone = 'UTC'; {TYPES}")
    assert found.columns[-2:] == ["a", "a_1"]
    assert rows_as_csv(found) == result_as_csv(filled, TYPES)
    assert found.whole is not None
    kept, asked = table_as_parquet(found.whole), result_as_parquet(filled, TYPES)
    first, second = (pq.read_table(io.BytesIO(file)) for file in (kept, asked))
    assert first.column_names == found.columns
    # an ENUM of a kept result is text
    assert first.to_pydict() == second.to_pydict()
    assert first_rows(filled, "FROM range(11)", QueryBounds(rows=10)).whole is None


def test_a_type_that_parquet_lacks_is_one_line(filled: Store) -> None:
    sql = "SELECT INTERVAL 1 MONTH AS length"
    found = first_rows(filled, sql)
    assert found.whole is not None
    with pytest.raises(QueryError, match="cast that column, or take CSV"):
        table_as_parquet(found.whole)
    with pytest.raises(QueryError, match="cast that column, or take CSV"):
        result_as_parquet(filled, sql)


def test_what_takes_too_much_memory_is_refused(filled: Store) -> None:
    sql = "SELECT x FROM (SELECT random() AS x FROM range(9000000)) ORDER BY x"
    with pytest.raises(QueryError, match="Out of Memory"):
        first_rows(filled, sql, QueryBounds(memory="50MB"))


def test_only_what_is_shown_is_computed(filled: Store) -> None:
    found = first_rows(filled, "FROM range(1000000000000)", QueryBounds(rows=5, seconds=20))
    assert (found.rows, found.more) == ([(n,) for n in range(5)], True)


def test_hostile_text_is_escaped_in_csv_and_kept_in_parquet(filled: Store) -> None:
    rows = list(csv.reader(io.StringIO(result_as_csv(filled, HOSTILE).decode())))
    assert rows == [["=1+1", "list", "number"], ['a\\x1b[2J,"\\n\\u202eb', "[1, 2]", "1.50"]]
    table = pq.read_table(io.BytesIO(result_as_parquet(filled, HOSTILE)))
    assert table.to_pylist() == [
        {"=1+1": 'a\x1b[2J,"\n\u202eb', "list": [1, 2], "number": Decimal("1.50")}
    ]


@pytest.mark.parametrize("ask", [first_rows, result_as_csv, result_as_parquet])
def test_what_takes_too_long_is_interrupted(filled: Store, ask: object) -> None:
    assert callable(ask)
    with pytest.raises(QueryError, match=r"no end after 0\.2 seconds; ask for less"):
        ask(filled, ENDLESS, QueryBounds(seconds=0.2))


@pytest.mark.parametrize("ask", [result_as_csv, result_as_parquet])
def test_a_file_that_is_too_large_is_refused(filled: Store, ask: object) -> None:
    assert callable(ask)
    with pytest.raises(QueryError, match=r"result: found more than 1 MB"):
        # of hashes, which do not compress
        ask(filled, "SELECT md5(i::VARCHAR) FROM range(200000) r(i)", QueryBounds(file_bytes=2**20))


@pytest.mark.parametrize(
    "sql",
    ["SELEC 1", "DELETE FROM media", "COPY media TO 'x.csv'", "SET threads = 1", "FROM 'x.csv'"],
)
def test_a_refusal_is_one_line(filled: Store, sql: str) -> None:
    for ask in (first_rows, result_as_csv, result_as_parquet):
        with pytest.raises(QueryError) as error:
            ask(filled, sql)
        assert "\n" not in str(error.value)


def test_examples_run_on_a_store_of_today(filled: Store) -> None:
    examples = example_queries()
    assert len(examples) >= 5
    for title, sql in examples.items():
        assert first_rows(filled, sql).columns, title
        assert ";" not in sql


def test_relations_are_all_that_there_are_with_the_columns_of_describe(filled: Store) -> None:
    with reading(filled) as connection:
        relations = relation_columns(connection)
    assert {relation.name for relation in relations} == {*RELATIONS, "warehouse_format"}
    for relation in relations:
        described = [(row[0], row[1]) for row in _direct(filled, f"DESCRIBE {relation.name}")]
        assert [(column.name, column.type) for column in relation.columns] == described
