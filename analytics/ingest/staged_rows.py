"""Rows of a relation that wait to be merged: in memory up to a bound, beyond it in a file."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from data.atomic_files import write_error
from data.text import utf8_name


class StagedRows:
    """Tables of one schema, appended in order and read once."""

    def __init__(self, schema: pa.Schema, file: Path, most_bytes: int) -> None:
        """Begin without rows.

        Args:
            schema: of every table.
            file: where rows wait that memory should not hold; made when the first do.
            most_bytes: of rows in memory.
        """
        self.schema = schema
        self._file, self._most_bytes = file, most_bytes
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

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
            try:
                self._move_to_file()
            except OSError as error:
                raise write_error(self._file, error) from error

    def reader(self) -> pa.RecordBatchReader:
        """All rows, to be read once; none can be appended after."""
        if self._writer is not None:
            self._writer.close()
        return pa.RecordBatchReader.from_batches(self.schema, self._batches())

    def _move_to_file(self) -> None:
        if self._writer is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pa.ipc.new_stream(utf8_name(self._file), self.schema)
        for table in self._held:
            self._writer.write_table(table)
        self._held, self._held_bytes = [], 0

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self._writer is not None:
            with pa.OSFile(utf8_name(self._file)) as stream:
                yield from pa.ipc.open_stream(stream)
        while self._held:
            yield from self._held.pop(0).to_batches()
