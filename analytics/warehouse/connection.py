"""Open, write and publish the DuckDB file of a store.

DuckDB lets one process write or several read. So the published file is never written: a writer
copies it aside, appends in one transaction and renames; readers keep the snapshot that they opened.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import duckdb
from filelock import FileLock, Timeout

from analytics.warehouse.relations import SERIES, TABLES
from analytics.warehouse.statements import statements
from data.atomic_files import publish, write_error
from data.errors import StoreError
from data.remote_store.opening import refresh_warehouse, send_store
from data.store import Store
from data.text import utf8_name

# Raised when a relation's columns change: an older warehouse is then refused, not misread.
FORMAT = 6

# What DuckDB raises where the disk is full: at a write, a checkpoint, a commit.
_NOT_WRITTEN = (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
}
_NO_FILES = {"enable_external_access": "false"}

_LOCK_SECONDS = 30
# DuckDB's message where another process has the file open: "... held in /usr/bin/duckdb (PID 4711)"
_HOLDER = re.compile(r"held in (.{1,200}?) \(PID (\d+)\)")


@dataclass
class Writer:
    """A warehouse being written; set `changed` to False to leave the published file as it is."""

    connection: duckdb.DuckDBPyConnection
    changed: bool = True


@contextmanager
def reading(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection that can reach neither files nor Python variables.

    Its settings are its own. It keeps what was published when it was opened; a later one, in this
    process too, reads what is published then.

    Raises:
        StoreError: the store holds no warehouse, or one that cannot be read.
    """
    if not store.warehouse.is_file():
        raise StoreError(
            f"store {store}",
            found="no warehouse",
            expected="an ingested log",
            remedy="run `streetreplay demo` or `streetreplay ingest LOG`",
        )
    connection = _open_to_read(store.warehouse)
    try:
        _check_format(connection, store)
        yield connection
    finally:
        connection.close()


@contextmanager
def writing(store: Store) -> Iterator[Writer]:
    """One transaction on a copy of the warehouse, published when the block ends without an error.

    Of a store on a server it is the newest one, and goes back at once.

    Raises:
        StoreError: another process writes, the warehouse is of another format or damaged, or
            another machine published meanwhile.
        WriteError: the disk is full, or the store may not be written.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store.warehouse_lock)
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise StoreError(
            f"store {store}", found="another process writing it", remedy="wait, then try again"
        ) from None
    try:
        refresh_warehouse(store)
        yield from _publish(store)
        send_store(store)
    finally:
        lock.release()


def _publish(store: Store) -> Iterator[Writer]:
    temporary = store.root / "warehouse.aside.duckdb"
    _remove(temporary)  # left by a crash
    try:
        with _as_write_error(store.warehouse, OSError, *_NOT_WRITTEN):
            if store.warehouse.exists():
                shutil.copyfile(store.warehouse, temporary)
            writer = Writer(_open_to_write(temporary))
        try:
            with _as_write_error(store.warehouse, *_NOT_WRITTEN):
                _prepare(writer.connection, store)
                writer.connection.begin()
                yield writer
                writer.connection.commit()
                rows = _row_counts(writer.connection)
                # closing does it too, but raises nothing where the disk is full
                writer.connection.execute("CHECKPOINT")
        finally:
            writer.connection.close()
        if writer.changed or not store.warehouse.exists() or _log_beside(store.warehouse).exists():
            with _as_write_error(store.warehouse, OSError, *_NOT_WRITTEN):
                _check_written(temporary, rows)
                _replace(temporary, store.warehouse)
    finally:
        _remove(temporary)


@contextmanager
def _as_write_error(warehouse: Path, *errors: type[Exception]) -> Iterator[None]:
    """Raise these errors as a WriteError of the warehouse."""
    try:
        yield
    except errors as error:
        raise write_error(warehouse, error) from error


def _remove(database: Path) -> None:
    for file in (database, _log_beside(database)):
        file.unlink(missing_ok=True)
    # where DuckDB puts what its memory does not hold
    shutil.rmtree(database.with_name(f"{database.name}.tmp"), ignore_errors=True)


def _log_beside(database: Path) -> Path:
    """DuckDB's write-ahead log of a database file, there while a program writes into it."""
    return database.with_name(f"{database.name}.wal")


def _row_counts(connection: duckdb.DuckDBPyConnection) -> list[int]:
    return [
        connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]  # noqa: S608
        for table in TABLES
    ]


def _check_written(database: Path, rows: list[int]) -> None:
    """Open what was written as a reader will, and count it."""
    if _log_beside(database).exists():
        raise OSError("some of it only in a write-ahead log")
    connection = _open_to_read(database)
    try:
        if (read := _row_counts(connection)) != rows:
            raise OSError(f"{read} rows of {', '.join(TABLES)} in place of {rows}")
    finally:
        connection.close()


def _replace(temporary: Path, warehouse: Path) -> None:
    """Publish a warehouse, and no write-ahead log beside it.

    Such a log is of another program that opened the published file to write. Beside a file that it
    does not belong to it makes that file unreadable, so it is deleted before and after.
    """
    _log_beside(warehouse).unlink(missing_ok=True)
    publish(temporary, warehouse)
    _log_beside(warehouse).unlink(missing_ok=True)


def _open_to_write(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(utf8_name(path), config={**_CONFIG, **_NO_FILES})
        _configure(connection)
        return connection
    except duckdb.Error as error:
        raise _cannot_open(path, error) from None


def _open_to_read(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a database in memory, which the warehouse is attached to.

    DuckDB shares a file that is opened itself among all connections of a process, with its settings
    and with the content that it had for the first of them, though it has been replaced since.
    """
    try:
        connection = duckdb.connect(":memory:", config=_CONFIG)
        quoted = utf8_name(path).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS warehouse (READ_ONLY); USE warehouse")
        _configure(connection)
        for option, value in _NO_FILES.items():
            connection.execute(f"SET {option} = {value}")
        return connection
    except duckdb.Error as error:
        raise _cannot_open(path, error) from None


def _configure(connection: duckdb.DuckDBPyConnection) -> None:
    # else a time with an offset is compared, and shown, in the zone of the machine
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # else a slow query draws one among the results where DuckDB takes Python for interactive
    connection.execute("SET enable_progress_bar = false")


def _cannot_open(path: Path, error: duckdb.Error) -> StoreError:
    """Why a database cannot be opened: locked, not to be read, a foreign log beside it, damaged."""
    words = _first_line(error)
    if "lock" in words.lower() and (holder := _HOLDER.search(words)):
        return StoreError(
            str(path),
            found=f"it locked by process {holder[2]} ({holder[1]})",
            expected="no other program that writes into it",
            remedy="close that program, then try again; `streetreplay ingest` needs no waiting",
        )
    if not os.access(path, os.R_OK):
        return StoreError(str(path), found="no permission to read it", remedy=f"chmod u+r '{path}'")
    if (log := _log_beside(path)).exists():
        return StoreError(
            str(path),
            found=f"{log.name} beside it, which another program wrote and left",
            expected="the warehouse alone",
            remedy=f"delete '{log}', or run `streetreplay ingest` again, which does that",
        )
    return StoreError(
        str(path),
        found=words,
        expected="a DuckDB warehouse of StreetReplay",
        remedy="move it away and ingest again",
    )


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]


def _prepare(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    if connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() != [(0,)]:
        _check_format(connection, store)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS warehouse_format AS SELECT ? AS format", [FORMAT]
    )
    for table in TABLES:
        connection.execute(statements(f"analytics/schema/{table}"))
    connection.execute(statements("analytics/schema/miner_series"))
    view = Template(statements("analytics/schema/miner_series_view"))
    for series in SERIES:
        connection.execute(view.substitute(series=series))
    for name in (
        "run_signatures",
        "audit_recent_accuracy",
        "same_number",
        "source_numbers",
        "audit_sources",
    ):
        connection.execute(statements(f"analytics/schema/{name}"))


def _check_format(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    try:
        formats = connection.execute("SELECT format FROM warehouse_format").fetchall()
    except duckdb.CatalogException:
        formats = []
    if formats != [(FORMAT,)]:
        raise StoreError(
            str(store.warehouse),
            found=f"format {formats[0][0]}" if formats else "no StreetReplay warehouse",
            expected=f"format {FORMAT}",
            remedy="move it away and ingest the logs again",
        )
