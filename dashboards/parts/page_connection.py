"""How pages read the warehouse: one query at a time, so that many visitors need no more memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from analytics.warehouse.connection import reading
from data.store import Store

# a query uses every core: two at once are no faster, and hold twice the memory
_turn, _query_turn = threading.Lock(), threading.Lock()
_holds = threading.local()


@contextmanager
def page_reading(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the warehouse, in a turn, see `page_turn`.

    Raises:
        StoreError: the store holds no warehouse, or one that cannot be read.
    """
    with page_turn(), reading(store) as connection:
        yield connection


@contextmanager
def query_turn() -> Iterator[None]:
    """The turn of what a visitor wrote on the page SQL, for which no other page waits."""
    with _query_turn:
        yield


@contextmanager
def page_turn() -> Iterator[None]:
    """A turn to ask DuckDB, for seconds: other visitors wait for theirs.

    What takes longer runs in a process of its own, see `work_beside_page`; the page Retraining,
    which may have to read every source row, takes no turn. Not within another one, nor around the
    call of a cached function: who waits for its result would wait for ever.
    """
    if getattr(_holds, "turn", False):
        raise RuntimeError("a page reads the warehouse while it reads it already")
    with _turn:
        _holds.turn = True
        try:
            yield
        finally:
            _holds.turn = False
