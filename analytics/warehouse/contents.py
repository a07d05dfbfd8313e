"""What a warehouse was made of, as a hash, by which kept results say what they rest on."""

import hashlib
import json

import duckdb

from analytics.warehouse.statements import named_rows, statements
from data.digests import code_digest

_CODE = ("analytics/warehouse", "analytics/sql/schema", "analytics/sql/warehouse", "data")


def contents_digest(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of the content of every log that was read, of how much came of it, and by which code.

    The same logs read into another store have the same one.
    """
    rows = named_rows(connection.execute(statements("analytics/warehouse/contents")))
    parts = {"logs": rows, "code": code_digest(*_CODE)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
