"""The order of a store's challenges, kept: to find it takes seconds for a million of them.

It holds as long as the warehouse file is not published anew: rows are named by their rowid.
"""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from analytics.lives.order import EVERYONE, Choice, Life, put_in_order
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
    return KeptOrder(lives, rows)


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
