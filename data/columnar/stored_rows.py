"""Rows that wait in files of Arrow's: those of a block lie where the process put them that read it.

They are not sent to another process, as large messages scatter over the memory of who gets them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.atomic_files import write_error
from data.text import utf8_name


def write_rows(tables: list[pa.Table], file: Path) -> None:
    """Write tables of one schema, one after another.

    Raises:
        WriteError: the disk is full.
    """
    try:
        with pa.ipc.new_stream(utf8_name(file), tables[0].schema) as writer:
            for table in tables:
                writer.write_table(table)
    except OSError as error:
        raise write_error(file, error) from error


def read_rows(file: Path) -> Iterator[pa.RecordBatch]:
    """The rows of such a file, a part at a time."""
    with pa.OSFile(utf8_name(file)) as stream:
        yield from pa.ipc.open_stream(stream)


@dataclass(frozen=True)
class BlockRows:
    """The rows of a block in a file, where their `seq` and `position` are numbers of lines.

    `places` are the places of lines among all items of the block, None where each is one item.
    `seq` and `position` are those of the first item; None where positions are in the file.
    """

    file: Path
    places: NDArray[np.int64] | None
    position: int | None
    seq: int = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, numbered among all."""
        for batch in read_rows(self.file):
            lines = batch["seq"].to_numpy()
            places = lines if self.places is None else self.places[lines]
            numbered = _set(batch, "seq", places + self.seq)
            if self.position is not None and "position" in batch.schema.names:
                numbered = _set(numbered, "position", places + self.position)
            yield numbered


def _set(batch: pa.RecordBatch, column: str, values: NDArray[Any]) -> pa.RecordBatch:
    index = batch.schema.get_field_index(column)
    field = batch.schema.field(index)
    return batch.set_column(index, field, pa.array(values, field.type))
