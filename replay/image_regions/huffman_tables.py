"""Look-up tables by which a JPEG's Huffman codes are read, several at a time.

Who only passes over a block need not know its coefficients, but how many bits they take. So an
entry for the next twelve bits stands for all the whole codes that these bits begin with.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled

WINDOW = 12
"""Bits that are looked up together."""

BITS, FIELD = 0x3F, 6
"""Of an entry: the bits that it passes over; above them what it stands for."""
DIFFERENCE_ZERO = 4096
"""Of a DC entry: added to the difference, so that no entry is negative."""
COEFFICIENTS, END_OF_BLOCK = 0xFF, 0x100
"""Of an AC entry, above its bits: coefficients passed over, and whether the block ends there."""

SYMBOL, LENGTH_FIELD = 0xFF, 8
"""Of a code: its symbol; above it its length."""
SIZE, RUN_FIELD, LONGEST_RUN = 15, 4, 15
"""Of an AC symbol: bits of a coefficient; above them the zeros before it."""

_LONGEST = 16  # bits of a code
_SIZES = 16  # a difference has fewer bits
_MOST_DIFFERENCE_BITS = 11  # that an entry has room for

Integer = int | np.int64
"""What loops count in."""

Codes = npt.NDArray[np.uint16]
Entries = npt.NDArray[np.int32]


class HuffmanTables(NamedTuple):
    """The tables of each component, by its index."""

    dc_codes: Codes
    """(components, 65,536): the code that these 16 bits begin with; 0 where there is none."""
    ac_codes: Codes
    """(components, 65,536)"""
    dc_entries: Entries
    """(components, 4,096): a code and its difference; 0 where 12 bits do not hold both."""
    ac_entries: Entries
    """(components, 4,096): several codes; 0 where 12 bits do not hold one."""
    dc_words: npt.NDArray[np.int64]
    """(components, 16): the bits of the code for each size of a difference."""
    dc_lengths: npt.NDArray[np.int64]
    """(components, 16): how many; 0 where there is no such code."""


@lru_cache(maxsize=8)
def huffman_tables(dc: tuple[bytes, ...], ac: tuple[bytes, ...]) -> HuffmanTables | None:
    """The tables of some components, or None where theirs are no Huffman codes of a JPEG.

    Args:
        dc: for each component, 16 counts of codes by length, then the symbols in order.
        ac: the same.
    """
    tables = HuffmanTables(
        *np.zeros((2, len(dc), 1 << _LONGEST), np.uint16),
        *np.zeros((2, len(dc), 1 << WINDOW), np.int32),
        *np.zeros((2, len(dc), _SIZES), np.int64),
    )
    for component, (dc_listed, ac_listed) in enumerate(zip(dc, ac, strict=True)):
        dc_codes, ac_codes = _codes(dc_listed), _codes(ac_listed)
        if not dc_codes or not ac_codes:
            return None
        for word, length, symbol in dc_codes:
            if symbol >= _SIZES:
                return None
            tables.dc_words[component, symbol] = word
            tables.dc_lengths[component, symbol] = length
        _spread(dc_codes, tables.dc_codes[component])
        _spread(ac_codes, tables.ac_codes[component])
        _fill_dc(tables.dc_codes[component], tables.dc_entries[component])
        _fill_ac(tables.ac_codes[component], tables.ac_entries[component])
    return tables


def _codes(listed: bytes) -> list[tuple[int, int, int]]:
    """The bits, length and symbol of each code; none where there are too many of a length."""
    codes = []
    word, symbols = 0, iter(listed[_LONGEST:])
    for length, count in enumerate(listed[:_LONGEST], start=1):
        codes += [(word + i, length, next(symbols)) for i in range(count)]
        word += count
        if word > 1 << length:
            return []
        word <<= 1
    return codes


def _spread(codes: list[tuple[int, int, int]], table: Codes) -> None:
    """Enter each code wherever 16 bits begin with it."""
    for word, length, symbol in codes:
        free = _LONGEST - length
        table[word << free : (word + 1) << free] = length << LENGTH_FIELD | symbol


@compiled
def _fill_dc(codes: Codes, entries: Entries) -> None:
    for window in range(1 << WINDOW):
        code = np.int64(codes[window << (_LONGEST - WINDOW)])
        length, size = code >> LENGTH_FIELD, code & SYMBOL
        if code != 0 and size <= _MOST_DIFFERENCE_BITS and length + size <= WINDOW:
            value = (window >> (WINDOW - length - size)) & ((1 << size) - 1)
            difference = signed(value, size) + DIFFERENCE_ZERO
            entries[window] = (length + size) | difference << FIELD


@compiled
def _fill_ac(codes: Codes, entries: Entries) -> None:
    for window in range(1 << WINDOW):
        bits, coefficients, end = np.int64(0), np.int64(0), 0
        while bits < WINDOW and end == 0:
            code = np.int64(codes[(window << (_LONGEST - WINDOW + bits)) & 0xFFFF])
            length, symbol = code >> LENGTH_FIELD, code & SYMBOL
            if code == 0 or bits + length > WINDOW:
                break
            size, run = symbol & SIZE, symbol >> RUN_FIELD
            bits += length + size  # a coefficient's own bits may lie beyond the window
            if size == 0 and run != LONGEST_RUN:
                end = END_OF_BLOCK
            else:
                coefficients += run + 1
        entries[window] = bits | (coefficients | end) << FIELD


@compiled
def signed(value: Integer, size: Integer) -> Integer:
    """A coefficient or difference by its bits (T.81, F.2.2.1, EXTEND)."""
    if size > 0 and value < 1 << (size - 1):
        return value - (1 << size) + 1
    return value
