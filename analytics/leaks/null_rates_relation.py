"""The relation `null_rates`: what the command of that name counted last."""

from collections.abc import Sequence

from analytics.leaks.null_rates import NullRate, null_rate_row
from analytics.warehouse.connection import writing
from analytics.warehouse.rows import append_rows
from data.store import Store


def publish_null_rates(store: Store, rates: Sequence[NullRate]) -> None:
    """Put rates into the warehouse, in place of those of an earlier time; readers see no half.

    Raises:
        StoreError: another process writes, or the warehouse cannot be written.
    """
    with writing(store) as writer:
        before = writer.connection.execute("SELECT * FROM null_rates").fetchall()
        writer.connection.execute("DELETE FROM null_rates")
        append_rows(writer.connection, "null_rates", [null_rate_row(rate) for rate in rates])
        after = writer.connection.execute("SELECT * FROM null_rates").fetchall()
        writer.changed = before != after
