"""The order of a store's challenges, kept: to find it takes seconds for a million of them.

It holds as long as the warehouse file is not published anew: rows are named by their rowid.
"""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from analytics.lives.order import (
    EVERYONE,
    Choice,
    Life,
    choice_parameters,
    put_in_order,
    unknown_run,
)
from analytics.warehouse.statements import statements

ORDER_SCHEMA = pa.schema({"ordinal": pa.int32(), "life": pa.int32(), "media_row": pa.int64()})
_REGISTERED = "kept_order_rows"


@dataclass(frozen=True)
class KeptOrder:
    """Lives, and a table with a row a challenge: `ordinal`, `life`, `media_row`; 16 bytes each."""

    lives: list[Life]
    rows: pa.Table


def kept_order(connection: duckdb.DuckDBPyConnection, choice: Choice = EVERYONE) -> KeptOrder:
    """Put a warehouse's challenges in order, see `order.put_in_order`, and keep that.

    Raises:
        QueryError: the store holds no such validator or run.
    """
    lives = put_in_order(connection, choice)
    rows = connection.sql(statements("analytics/lives/kept_order")).to_arrow_table()
    connection.execute("DROP TABLE life_order")
    return KeptOrder(lives, rows)


def choose_from_order(
    connection: duckdb.DuckDBPyConnection, kept: KeptOrder, choice: Choice = EVERYONE
) -> None:
    """Make the temporary table `life_order` from a kept order: ordinal, life, media_row.

    Ordinals are those of all challenges, so that a choice of some leaves holes.

    Args:
        connection: to the warehouse that the order is of.
        kept: the order of all its challenges.
        choice: which of them.

    Raises:
        QueryError: as `order.put_in_order`.
    """
    parameters = choice_parameters(kept.lives, choice)
    connection.register(_REGISTERED, kept.rows)
    connection.execute(statements("analytics/lives/chosen_of_kept"), parameters)
    connection.unregister(_REGISTERED)
    if choice.run is not None:
        [(chosen,)] = connection.execute("SELECT count(*) FROM life_order").fetchall()
        if not chosen:
            raise unknown_run(choice.run)


def restore_order(
    connection: duckdb.DuckDBPyConnection, kept: KeptOrder, uid: int | None = None
) -> None:
    """Make the temporary table `ordered_challenges` of another connection to the same file.

    It has a row a challenge: ordinal (from 0 on, life by life), life, media_row, challenge_id,
    label, and image, a hash of its source image; one that names no row of a shard is its own.

    Args:
        connection: to the warehouse that the order is of.
        kept: the order.
        uid: of the challenges that this uid was asked alone, which takes a fraction; None: all.
    """
    connection.register(_REGISTERED, kept.rows)
    connection.execute(statements("analytics/lives/ordered_challenges"), {"uid": uid})
    connection.unregister(_REGISTERED)
