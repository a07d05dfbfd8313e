"""Pillow's bilinear resize, equal to the bit, of a frame that is never in memory as a whole.

Pillow resizes rows first, then columns, each in whole numbers, so that the order of a sum changes
nothing (`Resample.c`, `ImagingResampleHorizontal_8bpc`, `precompute_coeffs`,
`normalize_coeffs_8bpc`). Rows are resized here as they are decoded.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled
from replay.image_regions.bands import bands
from replay.image_regions.baseline_jpeg import Box
from replay.image_regions.frames import Frame
from replay.image_regions.pixel_words import Words

# A weight of 1 is 2**22: a sum of weighted bytes then fits into 32 bits.
_PRECISION = 22
_HALF = np.int32(1 << (_PRECISION - 1))

# Windows are lengthened by weights of zero to a multiple of what processors multiply at a time.
_LANES = 8

Pixels = npt.NDArray[np.uint8]


class _Windows(NamedTuple):
    """For each pixel of a resized side, the weighted pixels that it is the sum of."""

    starts: npt.NDArray[np.int64]
    """(resized,)"""
    weights: npt.NDArray[np.int32]
    """(resized, longest)"""


def resized_square(frame: Frame, box: Box, side: int) -> Pixels:
    """A square of a frame as `crop(box).resize((side, side), BILINEAR)` gives it.

    (Of other boxes Pillow may resize columns first, where that is less work.)

    Args:
        frame: any.
        box: inside the frame, as high as wide.
        side: pixels of a side of the result.

    Returns:
        (side, side, 3) RGB.

    Raises:
        SourceError: the frame cannot be decoded.
    """
    left, top, right, bottom = box
    windows = _windows(right - left, side)
    narrowed = np.empty((bottom - top, side, 3), np.uint8)
    for band in bands(box):
        part = frame.part(band)
        first = band[1] - part.top
        rows = part.words[first : first + band[3] - band[1]]
        _resize_rows(rows, left - part.left, windows, narrowed[band[1] - top : band[3] - top])
    return _resize_columns(narrowed, windows)


@lru_cache(maxsize=16)
def _windows(length: int, resized: int) -> _Windows:
    scale = length / resized
    support = max(scale, 1.0)
    centres = (np.arange(resized) + 0.5) * scale
    starts = np.maximum((centres - support + 0.5).astype(np.int64), 0)
    ends = np.minimum((centres + support + 0.5).astype(np.int64), length)
    places = starts[:, None] + np.arange((ends - starts).max())
    distances = np.abs((places - centres[:, None] + 0.5) * (1.0 / support))
    weights = np.where((distances < 1) & (places < ends[:, None]), 1.0 - distances, 0.0)
    totals = np.zeros(resized)
    for column in weights.T:  # in order: another one rounds otherwise
        totals += column
    whole = (0.5 + weights / totals[:, None] * (1 << _PRECISION)).astype(np.int32)
    whole[weights == 0] = 0
    return _Windows(*_lengthened(starts, whole, length))


def _lengthened(
    starts: npt.NDArray[np.int64], weights: npt.NDArray[np.int32], length: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """The same windows, of a multiple of `_LANES` pixels, none of them past the side's end."""
    longest = min(-(-weights.shape[1] // _LANES) * _LANES, length)
    earlier = np.minimum(starts, length - longest)
    moved = np.zeros((len(starts), longest), np.int32)
    for row, shift in enumerate(starts - earlier):
        kept = min(weights.shape[1], longest - shift)
        moved[row, shift : shift + kept] = weights[row, :kept]
    return earlier, moved


@compiled
def _resize_rows(words: Words, left: int, across: _Windows, narrowed: Pixels) -> None:
    """Resize rows of pixels, which begin in column `left`."""
    height, resized, _ = narrowed.shape
    longest = across.weights.shape[1]
    byte = np.uint32(0xFF)
    for y in range(height):
        for k in range(resized):
            start = left + across.starts[k]
            red = green = blue = _HALF
            window, weights = words[y, start : start + longest], across.weights[k]
            for x in range(longest):
                word, weight = window[x], weights[x]
                red = np.int32(red + np.int32(np.int32(word & byte) * weight))
                word = np.uint32(word >> np.uint32(8))
                green = np.int32(green + np.int32(np.int32(word & byte) * weight))
                word = np.uint32(word >> np.uint32(8))
                blue = np.int32(blue + np.int32(np.int32(word & byte) * weight))
            narrowed[y, k, 0] = red >> _PRECISION
            narrowed[y, k, 1] = green >> _PRECISION
            narrowed[y, k, 2] = blue >> _PRECISION


@compiled
def _resize_columns(narrowed: Pixels, down: _Windows) -> Pixels:
    resized, longest = down.weights.shape
    rows = narrowed.reshape(len(narrowed), -1)
    pixels = np.empty((resized, rows.shape[1]), np.uint8)
    sums = np.empty(rows.shape[1], np.int32)
    for k in range(resized):
        sums[:] = _HALF
        for y in range(longest):
            weight, row = down.weights[k, y], rows[down.starts[k] + y]
            if weight != 0:
                for x in range(len(sums)):
                    sums[x] = np.int32(sums[x] + np.int32(np.int32(row[x]) * weight))
        for x in range(len(sums)):
            pixels[k, x] = sums[x] >> _PRECISION
    return pixels.reshape(resized, narrowed.shape[1], 3)
