"""The order of a large store's challenges, kept in a file: finding it takes seconds a million.

The file says what it was made of: the logs, the rows of the warehouse that it numbers, and this
code. Where one of them changed, it is made again; deleted, too.
"""

from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet
from pydantic import TypeAdapter

from analytics.lives.kept_order import ORDER_SCHEMA, KeptOrder, kept_order
from analytics.lives.order import Life
from analytics.warehouse.connection import reading
from analytics.warehouse.contents import contents_digest
from analytics.warehouse.statements import statements
from data.atomic_files import atomic_file, make_folder
from data.digests import code_digest
from data.errors import WriteError
from data.store import Store

_CODE = ("analytics/lives", "analytics/sql/lives", "analytics/scoring")
_KEY, _LIVES = b"made of", b"lives"
_FEWEST = 50_000
"""Challenges of a store that is worth a file: fewer are in order at once."""


def keep_order(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Find and keep the order of a store that is large enough to keep it, so that no page waits."""
    [(challenges, _)] = connection.execute(statements("analytics/lives/row_checksum")).fetchall()
    if challenges >= _FEWEST:
        order_of(store, connection)


def order_of(store: Store, connection: duckdb.DuckDBPyConnection) -> KeptOrder:
    """The order of all challenges: as it is kept, else found, and kept if there are many.

    Args:
        store: which keeps it.
        connection: of its warehouse.
    """
    challenges, key = _made_of(connection)
    if challenges < _FEWEST:
        return kept_order(connection)
    kept = _read(store.order, key)
    if kept is None:
        kept = _find(store, connection, key)
        _write(store.order, kept, key)
    return kept


def _made_of(connection: duckdb.DuckDBPyConnection) -> tuple[int, bytes]:
    """The number of challenges, and all that their order is made of."""
    [(challenges, checksum)] = connection.execute(
        statements("analytics/lives/row_checksum")
    ).fetchall()
    key = f"{contents_digest(connection)} {challenges} {checksum} {code_digest(*_CODE)}"
    return challenges, key.encode()


def _find(store: Store, connection: duckdb.DuckDBPyConnection, key: bytes) -> KeptOrder:
    """Find the order by a connection of its own, with which the memory for that ends."""
    with reading(store) as own:
        if _made_of(own)[1] == key:
            return kept_order(own)
    # published anew since `connection` was opened
    return kept_order(connection)


def _read(file: Path, key: bytes) -> KeptOrder | None:
    try:
        with parquet.ParquetFile(file) as opened:
            written = opened.metadata.metadata or {}
            if written.get(_KEY) != key:
                return None
            rows = opened.read().replace_schema_metadata()
        if rows.schema != ORDER_SCHEMA:
            return None
        return KeptOrder(TypeAdapter(list[Life]).validate_json(written[_LIVES]), rows)
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return None


def _write(file: Path, kept: KeptOrder, key: bytes) -> None:
    """Keep it in place of an older one; not in a store that may only be read."""
    lives = TypeAdapter(list[Life]).dump_json(kept.lives)
    rows = kept.rows.replace_schema_metadata({_KEY: key, _LIVES: lives})
    with suppress(WriteError):
        make_folder(file.parent)
        with atomic_file(file) as temporary:
            parquet.write_table(rows, temporary, compression="zstd")
