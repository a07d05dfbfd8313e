"""Copy a box of a JPEG's MCUs into a scan of its own, bit by bit.

Within a row of MCUs a block is relative to the one before it, which is copied too. Only the first
DC coefficient of each component is written anew, as it differs from the end of the row above.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled
from replay.image_regions.huffman_tables import HuffmanTables, Integer
from replay.image_regions.mcu_positions import Positions
from replay.image_regions.scan_bits import (
    NO_BLOCK,
    Blocks,
    Scan,
    Words,
    bit_of,
    pass_coefficients,
    read_difference,
    reader_at,
)

_MARKER = 0xFF
_WORD, _BYTE = 32, 8
_SIZES = 16

ROW_BYTES = 256
"""More than what is written anew takes in a row, were each of its bytes stuffed."""

Bytes = npt.NDArray[np.uint8]


class _Writer(NamedTuple):
    """A place in the scan that is written."""

    byte: int
    pending: np.uint64
    """Bits that are no whole byte yet, at the bottom; above them what was written before."""
    waiting: Integer
    """How many are pending: less than 8."""


@compiled
def copy_box(
    scan: Scan,
    tables: HuffmanTables,
    blocks: Blocks,
    positions: Positions,
    box: tuple[int, int, int, int],
    copied: Bytes,
) -> int:
    """Write the scan of a box, with stuffed bytes.

    Args:
        scan: of the whole image.
        tables: of its components.
        blocks: the component of each block of an MCU.
        positions: of the MCUs.
        box: the first column and row, and those after the last, in MCUs.
        copied: is written to: twice the bytes of the box, and `ROW_BYTES` more a row.

    Returns:
        How many bytes it takes; -1 where the image has no code for a difference.
    """
    left, top, right, bottom = box
    predicted = np.zeros(positions.shape[2] - 1, np.int64)
    writer = _Writer(0, np.uint64(0), 0)
    for row in range(top, bottom):
        actual = positions[row, left, 1:].astype(np.int64)
        reader = reader_at(scan.words, np.int64(positions[row, left, 0]))
        for component in blocks:
            begin = bit_of(reader)
            reader, difference = read_difference(scan.words, reader, tables, component)
            if predicted[component] != NO_BLOCK:
                begin = bit_of(reader)
                difference += actual[component] - predicted[component]
                size = _size(difference)
                if size >= _SIZES or tables.dc_lengths[component, size] == 0:
                    return -1
                predicted[component] = NO_BLOCK  # what follows is relative to this block
                writer = _write_difference(writer, difference, size, tables, component, copied)
            reader, _ = pass_coefficients(scan.words, reader, tables, component)
            writer = _copy_bits(scan.words, begin, bit_of(reader), writer, copied)
        end = np.int64(positions[row, right, 0])
        writer = _copy_bits(scan.words, bit_of(reader), end, writer, copied)
        predicted[:] = positions[row, right, 1:]
    # the last byte is filled up with ones (T.81, F.1.2.3)
    return _write(writer, np.uint64(0x7F), _BYTE - 1, copied).byte


@compiled
def _size(difference: Integer) -> int:
    """Bits of a difference."""
    size, rest = 0, difference if difference >= 0 else -difference
    while rest:
        size += 1
        rest >>= 1
    return size


@compiled
def _write_difference(
    writer: _Writer,
    difference: Integer,
    size: int,
    tables: HuffmanTables,
    component: Integer,
    copied: Bytes,
) -> _Writer:
    code = np.uint64(tables.dc_words[component, size])
    writer = _write(writer, code, tables.dc_lengths[component, size], copied)
    value = difference if difference >= 0 else difference + (1 << size) - 1
    return _write(writer, np.uint64(value), size, copied)


@compiled
def _copy_bits(
    words: Words, begin: Integer, end: Integer, writer: _Writer, copied: Bytes
) -> _Writer:
    while begin < end:
        count = min(_WORD, end - begin)
        word, used = begin // _WORD, begin % _WORD
        both = np.uint64(words[word]) << np.uint64(_WORD) | np.uint64(words[word + 1])
        bits = both << np.uint64(used) >> np.uint64(2 * _WORD - count)
        writer = _write(writer, bits, count, copied)
        begin += count
    return writer


@compiled
def _write(writer: _Writer, bits: np.uint64, count: Integer, copied: Bytes) -> _Writer:
    """Write up to 32 bits."""
    byte, pending, total = writer.byte, writer.pending, writer.waiting + count
    pending = pending << np.uint64(count) | bits
    while total >= _BYTE:
        total -= _BYTE
        copied[byte] = (pending >> np.uint64(total)) & np.uint64(0xFF)
        byte += 1
        if copied[byte - 1] == _MARKER:
            copied[byte] = 0
            byte += 1
    return _Writer(byte, pending, total)
