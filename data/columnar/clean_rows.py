"""Rows of consecutive records of a log, with the items between them that are no clean records."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from data.columnar.blocks import Block, BlockReader

# A block with more unclean lines is read line by line.
_MOST_UNCLEAN_SHARE = 0.1


@dataclass(frozen=True)
class CleanRows:
    """Rows of `media` and `responses`, whose `seq` is 0 at the first of `size` positions.

    `others` are the items of the other positions, each with its number among all.
    """

    media: pa.Table
    responses: pa.Table
    others: list[tuple[int, Any]]
    size: int

    def numbered(self, first: int) -> tuple[pa.Table, pa.Table]:
        """The rows with a `seq` that begins at `first`."""
        return _shifted(self.media, "seq", first), _shifted(self.responses, "seq", first)


def rows_of_lines(
    reader: BlockReader,
    lines: Iterable[bytes],
    file: str,
    position: int,
    read_unclean: Callable[[bytes, int], Iterable[Any]],
) -> Iterator[Any]:
    """The records of lines, most of them as `CleanRows`, the first at `position` of its log.

    A block with many unclean lines gives single items instead: `CleanRecord` and others.

    Args:
        reader: reads clean lines.
        lines: of one log, in order.
        file: the log's name in the store.
        position: of the first record.
        read_unclean: the items of a line that is not clean, by the position of the first; each
            item has a position of its own, in order.
    """
    for block in reader.read_blocks(lines, file):
        if len(block.unclean) <= _MOST_UNCLEAN_SHARE * len(block.lines):
            rows = _clean_rows(block, position, read_unclean)
            yield rows
            position += rows.size
            continue
        for line in block.lines:
            record = reader.read(line, position)
            for item in read_unclean(line, position) if record is None else (record,):
                yield item
                position += 1


def _clean_rows(
    block: Block, position: int, read_unclean: Callable[[bytes, int], Iterable[Any]]
) -> CleanRows:
    """The rows of a block whose first record stands at `position` of its log."""
    counts = np.ones(len(block.lines), np.int64)
    others: list[tuple[int, Any]] = []
    moved = 0  # how far items of unclean lines, more than one or none, move what follows
    for line in block.unclean:
        place = line + moved
        items = list(read_unclean(block.lines[line], position + place))
        others += enumerate(items, place)
        counts[line] = len(items)
        moved += len(items) - 1
    places = np.cumsum(counts) - counts
    media, responses = block.tables()
    media = _set(media, "seq", places[media["seq"].to_numpy()])
    media = _set(media, "position", media["seq"].to_numpy() + position)
    responses = _set(responses, "seq", places[responses["seq"].to_numpy()])
    return CleanRows(media, responses, others, int(counts.sum()))


def _shifted(table: pa.Table, column: str, by: int) -> pa.Table:
    return _set(table, column, table[column].to_numpy() + by)


def _set(table: pa.Table, column: str, values: Any) -> pa.Table:
    index = table.schema.get_field_index(column)
    field = table.schema.field(index)
    return table.set_column(index, field, pa.array(values, field.type))
