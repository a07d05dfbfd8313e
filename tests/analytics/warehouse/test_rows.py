"""Rows go into the warehouse, and memory is free of them then."""

import duckdb
import pyarrow as pa

from analytics.warehouse.rows import append_table


def test_an_appended_table_does_not_stay_in_memory() -> None:
    """Within a transaction too: an ingest of a year's log is one."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TEMP TABLE numbers (number BIGINT)")
        connection.begin()
        before = pa.total_allocated_bytes()
        for _ in range(3):
            table = pa.table({"number": pa.nulls(100_000, pa.int64())})
            append_table(connection, "numbers", table)
            del table
        assert pa.total_allocated_bytes() == before
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (300_000,)
