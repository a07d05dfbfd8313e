"""Read the bits of a JPEG's scan, and pass over its blocks without decoding them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled
from replay.image_regions.huffman_tables import (
    BITS,
    COEFFICIENTS,
    DIFFERENCE_ZERO,
    END_OF_BLOCK,
    FIELD,
    LENGTH_FIELD,
    LONGEST_RUN,
    RUN_FIELD,
    SIZE,
    SYMBOL,
    WINDOW,
    HuffmanTables,
    Integer,
    signed,
)

_MARKER, _END_OF_IMAGE = 0xFF, 0xD9
_WORD = 32
_AHEAD = 64
_CODE = 16
_BLOCK = 64  # coefficients

NO_BLOCK = 1 << 20
"""Instead of a difference, where bits are no block."""

Words = npt.NDArray[np.uint32]
Blocks = npt.NDArray[np.int64]


class Scan(NamedTuple):
    """The entropy-coded bits of an image, stuffed bytes taken out."""

    words: Words
    """32 bits each, the first on top; after the last, one of zeros or more."""
    length: int
    """Bits."""


class Reader(NamedTuple):
    """A place in a scan."""

    ahead: np.uint64
    """The next bits, the first on top, then zeros."""
    known: Integer
    """How many these are: 32 or more wherever a code is read, which takes 31 at most."""
    word: Integer
    """The index of the word that follows them."""


@compiled
def unstuffed(raw: npt.NDArray[np.uint8], start: int, words: Words) -> int:
    """Fill in a scan's words from its first byte on; its length in bits.

    Args:
        raw: the file.
        start: where the scan begins in it.
        words: one for each four bytes of the file, and two more, of zeros.

    Returns:
        -1 where the first marker after the scan is not that of the image's end, or there is none.
    """
    count, word = 0, np.uint32(0)
    position = start
    while position < len(raw) - 1:
        byte = raw[position]
        position += 1
        if byte == _MARKER:
            if raw[position] == _END_OF_IMAGE:
                words[count >> 2] = np.uint32(np.uint64(word) << np.uint64(_WORD - 8 * (count & 3)))
                return 8 * count
            if raw[position] != 0:
                return -1
            position += 1
        word = np.uint32(np.uint32(word << np.uint32(8)) | np.uint32(byte))
        count += 1
        if count & 3 == 0:
            words[(count >> 2) - 1] = word
    return -1


@compiled
def reader_at(words: Words, bit: Integer) -> Reader:
    """The place of a bit."""
    used = bit % _WORD
    ahead = np.uint64(words[bit // _WORD]) << np.uint64(_WORD + used)
    return Reader(ahead, _WORD - used, bit // _WORD + 1)


@compiled
def bit_of(reader: Reader) -> Integer:
    """The position of the next bit."""
    return _WORD * reader.word - reader.known


@compiled
def _filled(words: Words, reader: Reader) -> Reader:
    if reader.known >= _WORD:
        return reader
    # past the end all bits are zeros; who reads them finds the scan too short afterwards
    word = np.uint64(words[min(reader.word, len(words) - 1)])
    ahead = reader.ahead | word << np.uint64(_WORD - reader.known)
    return Reader(ahead, reader.known + _WORD, reader.word + 1)


@compiled
def _after(reader: Reader, bits: Integer) -> Reader:
    return Reader(reader.ahead << np.uint64(bits), reader.known - bits, reader.word)


@compiled
def read_difference(
    words: Words, reader: Reader, tables: HuffmanTables, component: Integer
) -> tuple[Reader, Integer]:
    """Read a block's first code: by how much its DC coefficient differs from the prediction.

    `NO_BLOCK` where there is no such code.
    """
    reader = _filled(words, reader)
    entry = np.int64(tables.dc_entries[component, reader.ahead >> np.uint64(_AHEAD - WINDOW)])
    if entry != 0:
        return _after(reader, entry & BITS), (entry >> FIELD) - DIFFERENCE_ZERO
    code = np.int64(tables.dc_codes[component, reader.ahead >> np.uint64(_AHEAD - _CODE)])
    if code == 0:
        return reader, NO_BLOCK
    length, size = code >> LENGTH_FIELD, code & SYMBOL
    value = np.int64((reader.ahead << np.uint64(length)) >> np.uint64(1) >> np.uint64(63 - size))
    return _after(reader, length + size), signed(value, size)


@compiled
def pass_coefficients(
    words: Words, reader: Reader, tables: HuffmanTables, component: Integer
) -> tuple[Reader, bool]:
    """Pass over the rest of a block; False where there is a code that is none, or one too many."""
    place = np.int64(1)
    while True:
        reader = _filled(words, reader)
        entry = np.int64(tables.ac_entries[component, reader.ahead >> np.uint64(_AHEAD - WINDOW)])
        passed = entry >> FIELD
        after = place + passed
        if entry != 0 and after < _BLOCK:
            reader, place = _after(reader, entry & BITS), after
            continue
        # here the block ends; unless the window holds no whole code, or codes of the next block
        after = place + (passed & COEFFICIENTS)
        if entry != 0 and (after < _BLOCK or (after == _BLOCK and passed & END_OF_BLOCK == 0)):
            return _after(reader, entry & BITS), True
        code = np.int64(tables.ac_codes[component, reader.ahead >> np.uint64(_AHEAD - _CODE)])
        size, run = code & SIZE, (code & SYMBOL) >> RUN_FIELD
        reader = _after(reader, (code >> LENGTH_FIELD) + size)
        if size == 0 and run != LONGEST_RUN:
            return reader, code != 0
        place += run + 1
        if place >= _BLOCK:
            return reader, place == _BLOCK
