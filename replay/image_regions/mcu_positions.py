"""Walk through a JPEG's scan without decoding it: where each MCU begins, and its DC predictions.

libjpeg takes most of its time for what comes after the Huffman codes: coefficients, cosine
transforms, colours. None of that is done here. Where anything is not as the standard has it, the
walk ends, and libjpeg itself decides what becomes of such an image.
"""

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled
from replay.image_regions.huffman_tables import HuffmanTables
from replay.image_regions.scan_bits import (
    Blocks,
    Scan,
    bit_of,
    pass_coefficients,
    read_difference,
    reader_at,
)

_FARTHEST_DC = 2**15 - 1  # libjpeg keeps it in 16 bits

Positions = npt.NDArray[np.int32]
"""(rows, columns + 1, 1 + components): the bit at which each MCU begins, and there the prediction
of each component's DC coefficient. The last column is the row's end."""


@compiled
def add_rows(
    scan: Scan,
    tables: HuffmanTables,
    blocks: Blocks,
    positions: Positions,
    rows: tuple[int, int],
) -> bool:
    """Fill in the positions of some rows of MCUs.

    Args:
        scan: the image's.
        tables: of its components.
        blocks: the component of each block of an MCU.
        positions: where they are written; those of the rows above are known.
        rows: the first one, and the one after the last.

    Returns:
        False where the scan does not hold these rows as the standard has it.
    """
    _, columns, fields = positions.shape
    here = np.zeros(fields, np.int64)
    if rows[0] > 0:
        here[:] = positions[rows[0] - 1, columns - 1]
    reader = reader_at(scan.words, here[0])
    for row in range(rows[0], rows[1]):
        for column in range(columns):
            here[0] = bit_of(reader)
            if here[0] > scan.length:
                return False
            for field in range(fields):
                positions[row, column, field] = here[field]
            if column == columns - 1:
                break
            for component in blocks:
                reader, difference = read_difference(scan.words, reader, tables, component)
                here[1 + component] += difference
                if abs(here[1 + component]) > _FARTHEST_DC:  # and no code was found
                    return False
                reader, whole = pass_coefficients(scan.words, reader, tables, component)
                if not whole:
                    return False
    return True
