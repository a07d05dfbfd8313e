"""A store with known answers, and a connection with its challenges in order."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pandas as pd

from analytics.lives.kept_order import kept_order, restore_order
from analytics.warehouse.connection import reading, writing
from data.store import Store

_ANSWERS = """
SELECT uid, hotkey, prediction, reward, mcc, media.*
FROM responses JOIN media USING (challenge_id) ORDER BY position, slot
"""


@contextmanager
def ordered(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with reading(store) as connection:
        kept = kept_order(connection)
    with reading(store) as connection:
        restore_order(connection, kept)
        yield connection


def every_answer(store: Store) -> pd.DataFrame:
    """All answers in the order of one validator's log, with the columns of their challenges."""
    with reading(store) as connection:
        frame: pd.DataFrame = connection.sql(_ANSWERS).df()
    return frame


def change(store: Store, sql: str) -> None:
    with writing(store) as writer:
        writer.connection.execute(sql)
