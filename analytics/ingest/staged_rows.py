"""Rows of a relation that wait to be merged: in memory up to a bound, beyond it in files."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from data.columnar.stored_rows import BlockRows, read_rows, write_rows


class StagedRows:
    """Rows of one schema, appended in order and read once."""

    def __init__(self, schema: pa.Schema, scratch: Path, name: str, most_bytes: int) -> None:
        """Begin without rows.

        Args:
            schema: of every table.
            scratch: a folder where rows wait that memory should not hold.
            name: of the relation, with which the names of its files there begin.
            most_bytes: of rows in memory.
        """
        self.schema = schema
        self._scratch, self._name, self._most_bytes = scratch, name, most_bytes
        self._waiting: list[Path | BlockRows] = []
        self._held: list[pa.Table] = []
        self._held_bytes = 0

    def append(self, table: pa.Table) -> None:
        """Append the rows of a table.

        Raises:
            WriteError: the disk is full.
        """
        if table.num_rows == 0:
            return
        self._held.append(table)
        self._held_bytes += table.nbytes
        if self._held_bytes > self._most_bytes:
            self._move_to_file()

    def append_block(self, block: BlockRows) -> None:
        """Append the rows of a block, which may have more columns; its file stays until it is read.

        Raises:
            WriteError: the disk is full.
        """
        if self._held:
            self._move_to_file()
        self._waiting.append(block)

    def reader(self) -> pa.RecordBatchReader:
        """All rows, to be read once; none can be appended after."""
        return pa.RecordBatchReader.from_batches(self.schema, self._batches())

    def _move_to_file(self) -> None:
        file = self._scratch / f"{self._name}-{len(self._waiting)}.arrow"
        write_rows(self._held, file)
        self._waiting.append(file)
        self._held, self._held_bytes = [], 0

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for rows in self._waiting:
            if isinstance(rows, BlockRows):
                for batch in rows.batches():
                    yield batch.select(self.schema.names)
            else:
                yield from read_rows(rows)
        while self._held:
            yield from self._held.pop(0).to_batches()
