"""The DuckDB file of a store: created, read and published in one place.

DuckDB lets one process write or several read. So nobody writes the published file: a writer copies
it aside, appends in one transaction and renames; readers keep the snapshot that they have.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from data.errors import StoreError
from data.store import Store
from data.text import utf8_name

SQL = Path(__file__).parent / "sql"

# Raised when a relation's columns change: an older warehouse is then refused, not misread.
FORMAT = 2

TABLES = (
    *("media", "responses", "miner_series", "runs", "rejects", "logs"),
    *("replay_runs", "replay_predictions", "replay_variants", "replay_gates"),
)
_SERIES_VIEWS = (
    *("miner_predictions", "miner_rewards", "miner_scores", "miner_accuracy", "miner_auc"),
    *("miner_f1_score", "miner_mcc", "miner_precision", "miner_recall"),
)
RELATIONS = (*TABLES, *_SERIES_VIEWS, "audit_recent_accuracy")

_LOCK_SECONDS = 30


@dataclass
class Writer:
    """A warehouse being written; set `changed` to False to leave the published file as it is."""

    connection: duckdb.DuckDBPyConnection
    changed: bool = True


def statements(name: str) -> str:
    """The SQL of `analytics/sql/<name>.sql`."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


@contextmanager
def reading(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection that can reach neither files nor Python variables.

    Raises:
        StoreError: the store holds no warehouse, or one that cannot be read.
    """
    if not store.warehouse.is_file():
        raise StoreError(
            f"store {store.root}",
            found="no warehouse",
            expected="an ingested log",
            remedy="run `streetreplay demo` or `streetreplay ingest LOG`",
        )
    connection = _connect(store.warehouse, read_only=True)
    try:
        _check_format(connection, store)
        yield connection
    finally:
        connection.close()


@contextmanager
def writing(store: Store) -> Iterator[Writer]:
    """One transaction on a copy of the warehouse, published when the block ends without an error.

    Raises:
        StoreError: another process writes, or the warehouse is of another format or damaged.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store.root / "warehouse.lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise StoreError(
            f"store {store.root}", found="another process writing it", remedy="wait, then try again"
        ) from None
    try:
        yield from _publish(store)
    finally:
        lock.release()


def _publish(store: Store) -> Iterator[Writer]:
    aside = store.root / "warehouse.aside.duckdb"
    wal = aside.with_name(aside.name + ".wal")
    for left_by_a_crash in (aside, wal):
        left_by_a_crash.unlink(missing_ok=True)
    if store.warehouse.exists():
        shutil.copyfile(store.warehouse, aside)
    try:
        writer = Writer(_connect(aside, read_only=False))
        try:
            _prepare(writer.connection, store)
            writer.connection.begin()
            yield writer
            writer.connection.commit()
        finally:
            writer.connection.close()
        if writer.changed or not store.warehouse.exists():
            aside.replace(store.warehouse)
    finally:
        for file in (aside, wal):
            file.unlink(missing_ok=True)


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(
            utf8_name(path),
            read_only=read_only,
            config={
                "enable_external_access": "false",
                "autoload_known_extensions": "false",
                "autoinstall_known_extensions": "false",
                "python_enable_replacements": "false",
            },
        )
    except duckdb.Error as error:
        raise StoreError(
            str(path),
            found=str(error).splitlines()[0],
            expected="a DuckDB warehouse of StreetReplay",
            remedy="move it away and ingest again",
        ) from None


def _prepare(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    if connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() != [(0,)]:
        _check_format(connection, store)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS warehouse_format AS SELECT ? AS format", [FORMAT]
    )
    for relation in RELATIONS:
        connection.execute(statements(relation))


def _check_format(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    try:
        found = connection.execute("SELECT format FROM warehouse_format").fetchall()
    except duckdb.CatalogException:
        found = []
    if found != [(FORMAT,)]:
        raise StoreError(
            str(store.warehouse),
            found=f"format {found[0][0]}" if found else "no StreetReplay warehouse",
            expected=f"format {FORMAT}",
            remedy="move it away and ingest the logs again",
        )
