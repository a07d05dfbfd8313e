import multiprocessing
from itertools import islice
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query, streamed_query
from analytics.warehouse import connection as warehouse
from analytics.warehouse.connection import reading, writing
from data.errors import QueryError, StoreError
from data.store import Store
from tests.conftest import ROOT

SAMPLE = ROOT / "data" / "sample" / "media_record.json"


@pytest.fixture
def filled(store: Store) -> Store:
    ingest(store, [SAMPLE])
    return store


def test_an_empty_store_says_what_to_run(store: Store) -> None:
    with pytest.raises(StoreError, match=r"streetreplay demo.*ingest"), reading(store):
        pass


def test_a_failure_while_writing_leaves_the_published_warehouse(filled: Store) -> None:
    def crash() -> None:
        with writing(filled) as writer:
            writer.connection.execute("DELETE FROM media")
            raise RuntimeError("crash")

    before = filled.warehouse.read_bytes()
    with pytest.raises(RuntimeError, match="crash"):
        crash()
    assert filled.warehouse.read_bytes() == before
    assert not list(filled.root.glob("*.aside*"))


def test_what_a_killed_writer_left_behind_does_no_harm(filled: Store) -> None:
    (filled.root / "warehouse.aside.duckdb").write_bytes(b"half a file")
    (filled.root / "warehouse.aside.duckdb.wal").write_bytes(b"half a log")
    ingest(filled, [SAMPLE])
    assert query(filled, "SELECT count(*) FROM media").rows == [(1,)]


def test_a_reader_keeps_its_snapshot_while_a_writer_publishes(filled: Store) -> None:
    with reading(filled) as connection:
        with writing(filled) as writer:
            writer.connection.execute("DELETE FROM media")
        assert connection.execute("SELECT count(*) FROM media").fetchall() == [(1,)]
    assert query(filled, "SELECT count(*) FROM media").rows == [(0,)]


def test_a_reader_that_begins_later_sees_what_is_published_then(filled: Store) -> None:
    """Also while an earlier one of the same process still reads."""
    with reading(filled) as earlier:
        with writing(filled) as writer:
            writer.connection.execute("DELETE FROM media")
        with reading(filled) as later:
            assert later.execute("SELECT count(*) FROM media").fetchall() == [(0,)]
        assert earlier.execute("SELECT count(*) FROM media").fetchall() == [(1,)]


def test_a_readers_settings_are_its_own(filled: Store) -> None:
    threads = "SELECT current_setting('threads')"
    with reading(filled) as connection, reading(filled) as other:
        before = other.execute(threads).fetchall()
        connection.execute("SET threads = 1")
        assert other.execute(threads).fetchall() == before
    with pytest.raises(QueryError, match="locked"):
        query(filled, "SET threads = 1")


def test_a_folder_with_a_quote_in_its_name_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "it's; DROP")
    ingest(store, [SAMPLE])
    assert query(store, "SELECT count(*) FROM media").rows == [(1,)]


def _read_in_another_process(path: str) -> int:
    count: int = query(Store(Path(path)), "SELECT count(*) FROM media").rows[0][0]
    return count


def test_readers_of_other_processes_are_not_locked_out_by_a_writer(filled: Store) -> None:
    context = multiprocessing.get_context("spawn")
    with writing(filled), context.Pool(1) as pool:
        assert pool.apply(_read_in_another_process, [str(filled.root)]) == 1


def test_a_second_writer_waits_its_turn(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "_LOCK_SECONDS", 0.1)
    with (
        FileLock(filled.root / "warehouse.lock", is_singleton=False),
        pytest.raises(StoreError, match="another process"),
        writing(filled),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 1000])
def test_a_damaged_warehouse_is_one_line(store: Store, content: bytes) -> None:
    store.root.mkdir()
    store.warehouse.write_bytes(content)
    with pytest.raises(StoreError) as error, reading(store):
        pass
    assert "\n" not in str(error.value)
    assert "ingest" in str(error.value)


def test_a_database_of_something_else_is_refused_and_kept(store: Store) -> None:
    store.root.mkdir()
    with duckdb.connect(str(store.warehouse)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS a")
    before = store.warehouse.read_bytes()
    with pytest.raises(StoreError, match="no StreetReplay warehouse"):
        ingest(store, [SAMPLE])
    assert store.warehouse.read_bytes() == before


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM media",
        "CREATE TABLE x AS SELECT 1",
        "COPY media TO '/tmp/streetreplay-stolen.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "ATTACH '/tmp/streetreplay-other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM SAMPLE",
        "SELEC 1",
        "",
    ],
)
def test_sql_can_neither_write_nor_reach_out(filled: Store, sql: str) -> None:
    before = filled.warehouse.read_bytes()
    if not sql:
        assert query(filled, sql).rows == []
    else:
        with pytest.raises(QueryError) as error:
            query(filled, sql)
        assert "\n" not in str(error.value)
    assert filled.warehouse.read_bytes() == before
    assert not Path("/tmp/streetreplay-stolen.csv").exists()  # noqa: S108


def test_no_progress_is_drawn_among_the_results(filled: Store) -> None:
    """As DuckDB does where `__main__` has no file, which is so in a worker of `make test`."""
    sql = "SELECT value FROM duckdb_settings() WHERE name = 'enable_progress_bar'"
    assert query(filled, sql).rows == [("false",)]


def test_rows_are_made_as_they_are_taken(store: Store) -> None:
    """A result of a trillion rows would fill any memory."""
    with writing(store):
        pass
    with streamed_query(store, "SELECT * FROM range(1000000000000)") as running:
        assert list(islice(running.rows, 3)) == [(0,), (1,), (2,)]


def test_a_query_that_fails_while_its_rows_are_taken_is_one_line(store: Store) -> None:
    with writing(store):
        pass
    failing = "SELECT CASE WHEN range < 90000 THEN 1 ELSE error('late') END FROM range(100000)"
    with (
        pytest.raises(QueryError, match="late"),
        streamed_query(store, failing) as running,
    ):
        for _ in running.rows:
            pass
