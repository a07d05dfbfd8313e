"""The kept order of challenges is the one found, and is found again where anything changed."""

import duckdb
import pytest
from typer.testing import CliRunner

from analytics.commands.logs import app
from analytics.ingest.ingest import ingest
from analytics.lives import order_file
from analytics.lives.kept_order import KeptOrder, kept_order
from analytics.warehouse.connection import reading, writing
from data.store import Store
from tests.conftest import GOLDEN


@pytest.fixture
def logged(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    ingest(store, [GOLDEN / "e9" / "challenges.jsonl"])
    monkeypatch.setattr(order_file, "_FEWEST", 1)
    return store


def found(store: Store) -> KeptOrder:
    with reading(store) as connection:
        return kept_order(connection)


def asked(store: Store) -> KeptOrder:
    with reading(store) as connection:
        return order_file.order_of(store, connection)


def must_find(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the order is found anew from now on."""
    calls: list[int] = []

    def counted(connection: duckdb.DuckDBPyConnection) -> KeptOrder:
        calls.append(1)
        return kept_order(connection)

    monkeypatch.setattr("analytics.lives.order_file.kept_order", counted)
    return calls


def test_kept_once_and_read_again(logged: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = must_find(monkeypatch)
    expected = found(logged)
    assert asked(logged) == expected
    assert asked(logged) == expected
    assert len(calls) == 1
    logged.order.unlink()
    assert asked(logged) == expected
    assert len(calls) == 2


def test_found_again_where_rows_or_logs_changed(
    logged: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(logged)
    calls = must_find(monkeypatch)
    with writing(logged) as writer:
        # the same challenges in other rows
        writer.connection.execute("CREATE TABLE other AS FROM media ORDER BY challenge_id")
        writer.connection.execute("DELETE FROM media; INSERT INTO media FROM other")
        writer.connection.execute("DROP TABLE other")
    assert asked(logged) == found(logged)
    ingest(logged, [GOLDEN / "e7" / "challenges.jsonl"])
    kept = asked(logged)
    assert kept == found(logged)
    assert kept.rows.num_rows > 60
    assert len(calls) == 2


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 1000])
def test_a_damaged_file_is_replaced(logged: Store, content: bytes) -> None:
    asked(logged)
    logged.order.write_bytes(content)
    assert asked(logged) == found(logged)
    assert logged.order.read_bytes() != content


def test_a_store_that_may_not_be_written_has_an_order_too(logged: Store) -> None:
    (logged.root / "cache").write_text("a file in place of the folder")
    assert asked(logged) == found(logged)


def test_a_small_store_gets_no_file(logged: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_file, "_FEWEST", 1000)
    assert asked(logged) == found(logged)
    assert not logged.order.exists()


def test_the_command_ingest_leaves_it_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_file, "_FEWEST", 1)
    log = str(GOLDEN / "e9" / "challenges.jsonl")
    result = CliRunner().invoke(app, ["ingest", log, "--store", str(store.root)])
    assert result.exit_code == 0
    assert store.order.is_file()
    calls = must_find(monkeypatch)
    assert asked(store) == found(store)
    assert not calls
