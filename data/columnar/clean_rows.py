"""Rows of consecutive records of a log, with the items between them that are no clean records."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.columnar.blocks import Block, BlockReader, Lines
from data.columnar.stored_rows import BlockRows


@dataclass(frozen=True)
class CleanRows:
    """Rows of `media`, `records` of them, and of `responses`, of consecutive items of a log.

    `others` are the other items, each with its number among all `size`.
    """

    media: BlockRows
    responses: BlockRows
    records: int
    others: list[tuple[int, Any]]
    size: int


def rows_of_lines(
    reader: BlockReader,
    blocks: Iterable[Lines],
    file: str,
    position: int,
    read_unclean: Callable[[bytes, int], Iterable[Any]],
    on_bytes: Callable[[int], object],
) -> Iterator[Any]:
    """The records of lines, most of them as `CleanRows`, the first at `position` of its log.

    A block with many unclean lines gives single items instead: `CleanRecord` and others.

    Args:
        reader: reads clean lines.
        blocks: the lines of one log, in order.
        file: the log's name in the store.
        position: of the first record.
        read_unclean: the items of a line that is not clean, by the position of the first; each
            item has a position of its own, in order.
        on_bytes: called with the bytes of blocks as they are read.

    Raises:
        OSError: lines cannot be read.
        WriteError: the disk is full.
        RunError: no process can be started.
    """
    for lines, block in reader.read_blocks(blocks, file):
        on_bytes(lines.bytes_unreported)
        if block is not None:
            rows = _clean_rows(block, position, read_unclean)
            yield rows
            position += rows.size
            continue
        for line in lines.lines():
            record = reader.read(line, position)
            for item in read_unclean(line, position) if record is None else (record,):
                yield item
                position += 1


def _clean_rows(
    block: Block, position: int, read_unclean: Callable[[bytes, int], Iterable[Any]]
) -> CleanRows:
    """The rows of a block whose first record stands at `position` of its log."""
    counts = np.ones(block.size, np.int64)
    others: list[tuple[int, Any]] = []
    moved = 0  # how far items of unclean lines, more than one or none, move what follows
    for number, line in block.unclean.items():
        place = number + moved
        items = list(read_unclean(line, position + place))
        others += enumerate(items, place)
        counts[number] = len(items)
        moved += len(items) - 1
    places = np.cumsum(counts) - counts if moved or (counts != 1).any() else None
    return CleanRows(
        BlockRows(block.media, places, position),
        BlockRows(block.responses, places, position),
        block.size - len(block.unclean),
        others,
        int(counts.sum()),
    )
