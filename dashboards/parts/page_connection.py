"""How pages read the warehouse: one query at a time, so that many visitors need no more memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from analytics.warehouse.connection import reading
from data.store import Store

# a query uses every core: two at once are no faster, and hold twice the memory
_turn = threading.Lock()
_holds = threading.local()


@contextmanager
def page_reading(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the warehouse, for seconds: other visitors wait for their turn.

    What takes longer runs in a process of its own, see `work_beside_page`. Not within another one,
    nor around the call of a cached function: who waits for its result would wait for ever.

    Raises:
        StoreError: the store holds no warehouse, or one that cannot be read.
    """
    if getattr(_holds, "turn", False):
        raise RuntimeError("a page reads the warehouse while it reads it already")
    with _turn:
        _holds.turn = True
        try:
            with reading(store) as connection:
                yield connection
        finally:
            _holds.turn = False
