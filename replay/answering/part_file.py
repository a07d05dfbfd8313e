"""The Parquet file of a part of a replay: a row an image, and one for a challenge without any."""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from replay.answering.part_rows import Row

PART_SCHEMA = pa.schema(
    [
        ("challenge_id", pa.string()),
        ("fidelity", pa.string()),
        ("reason", pa.string()),
        ("variant", pa.int16()),
        ("weight", pa.float64()),
        ("noisy", pa.bool_()),
        ("probability", pa.float64()),
        ("gates", pa.list_(pa.float32())),
    ]
)


def encoded_part(rows: Sequence[Row]) -> bytes:
    """Rows as the content of a part's file."""
    content = io.BytesIO()
    table = pa.Table.from_pylist(list(rows), schema=PART_SCHEMA)
    pq.write_table(table, content, write_page_checksum=True)
    return content.getvalue()


def decoded_part(parquet: bytes) -> list[Row]:
    """The rows of a part's file."""
    rows: list[Row] = pq.read_table(io.BytesIO(parquet)).to_pylist()
    return rows
