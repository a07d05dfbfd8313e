"""What a warehouse was made of, as a hash, by which kept results say what they rest on."""

import hashlib
import json

import duckdb

from analytics.warehouse.statements import named_rows, statements


def contents_digest(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of the content of every log that was read, and of how much came of it.

    The same logs read into another store have the same one.
    """
    rows = named_rows(connection.execute(statements("analytics/warehouse/contents")))
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
