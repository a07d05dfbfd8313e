"""Rotate, crop and resize in one pass of compiled loops over the source's pixels.

The validator's functions go over the whole frame some twenty times, in float32. Here a pixel is
sampled, converted to float, and added with its weights to the few output pixels that it contributes
to, while the band of the frame that it lies in is in the processor's caches.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled
from replay.augmentation.fused_multiply_add import fma
from replay.image_regions.pixel_words import Words

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

_HALF, _ONE, _LARGEST = np.float32(0.5), np.float32(1), np.float32(255)
_INVERSE = _ONE / _LARGEST


class SamplingGrid(NamedTuple):
    """Sampling grid of a rotated crop: normalised source coordinates (-1..1), x first.

    The pixel in column m and row k is sampled at fma(rows[:, k], slopes, columns[:, m]).
    """

    columns: Floats
    """(2, w)"""
    rows: Floats
    """(2, h)"""
    slopes: Floats
    """(2,)"""


class Band(NamedTuple):
    """Some rows of a frame, and whatever lies around them in memory."""

    words: Words
    """(h, w)"""
    left: int
    """Column of the first pixel in the frame."""
    top: int
    """Its row."""
    start: int
    """The first row of the band in the frame."""
    end: int
    """The one after its last."""


class Halves(NamedTuple):
    """Half the sides of the whole frame, in pixels."""

    width: np.float32
    height: np.float32


class ResizeWeights(NamedTuple):
    """Weights of an antialiased resize of one side, from `length` to `resized` pixels."""

    first_output: Indices
    """(length,): index of the first output pixel that an input pixel contributes to."""
    end_output: Indices
    """(length,): one past the last."""
    fused_from: Indices
    """(resized,): input index from which on a product is fused with its sum, not rounded first."""
    by_output: Floats
    """Resampling weights per output pixel, shape (period, resized).

    Row i modulo the period holds those of input pixel i.
    """


@compiled
def nearest_pixel(coordinate: np.float32, half: np.float32) -> np.float32:
    """The nearest pixel to a normalised coordinate, along a side of twice `half` pixels.

    As `grid_sample` rounds: a fused operation, then halves to the even neighbour
    (ATen/native/cpu/GridSamplerKernel.cpp, `ComputeLocation::unnormalize`).
    """
    pixel: np.float32 = np.rint(fma(coordinate + _ONE, half, -_HALF))
    return pixel


@compiled
def as_float(byte: np.float32) -> np.float32:
    """The float that `ToTensor` converts a byte to: byte / 255, rounded once.

    Equal to that division for all 256 bytes, and faster: a quotient, corrected by its remainder.
    """
    quotient: np.float32 = byte * _INVERSE
    return fma(fma(-quotient, _LARGEST, byte), _INVERSE, quotient)


@compiled
def _rows_before(
    row: int, ys: Floats, slope: np.float32, column: np.float32, half: np.float32
) -> int:
    """How many pixels of a column are sampled above a row of the frame.

    Rows are sampled in order: if it is the falling one, those below or in it are counted.
    """
    count, threshold = len(ys), np.float32(row)
    first = nearest_pixel(fma(ys[0], slope, column), half)
    last = nearest_pixel(fma(ys[-1], slope, column), half)
    falling = last < first
    if first == last:
        return count if first < threshold else 0
    # a guess is put right step by step
    guess = int(np.float64(threshold - first) / np.float64(last - first) * (count - 1))
    guess = min(max(guess, 0), count)
    while guess > 0 and (
        (nearest_pixel(fma(ys[guess - 1], slope, column), half) < threshold) == falling
    ):
        guess -= 1
    while guess < count and (
        (nearest_pixel(fma(ys[guess], slope, column), half) < threshold) != falling
    ):
        guess += 1
    return guess


@compiled
def _sample(
    band: Band, grid: SamplingGrid, halves: Halves, place: tuple[int, int], words: Words
) -> None:
    """Sample pixels of a column, from a row of the crop on; black outside what is in memory."""
    column, first = place
    height, width = band.words.shape
    left, top = np.float32(band.left), np.float32(band.top)
    across, down = np.float32(width), np.float32(height)
    column_x, column_y = grid.columns[0, column], grid.columns[1, column]
    end = first + len(words)
    xs, ys = grid.rows[0, first:end], grid.rows[1, first:end]
    slope_x, slope_y = grid.slopes[0], grid.slopes[1]
    flat = band.words.reshape(-1)
    indices = np.empty(len(words), np.int32)
    inside = True
    for k in (0, len(words) - 1):
        x = nearest_pixel(fma(xs[k], slope_x, column_x), halves.width) - left
        y = nearest_pixel(fma(ys[k], slope_y, column_y), halves.height) - top
        inside = inside and bool((x >= 0) & (x < across) & (y >= 0) & (y < down))
    if inside:  # and so are all between them: positions only grow along a column, or only fall
        for k in range(len(words)):
            x = nearest_pixel(fma(xs[k], slope_x, column_x), halves.width) - left
            y = nearest_pixel(fma(ys[k], slope_y, column_y), halves.height) - top
            indices[k] = np.int32(y) * np.int32(width) + np.int32(x)
        for k in range(len(words)):  # apart, so that the loop before it has no fetches in it
            words[k] = flat[np.uint64(np.uint32(indices[k]))]  # unsigned: none counts from the end
        return
    for k in range(len(words)):
        x = nearest_pixel(fma(xs[k], slope_x, column_x), halves.width) - left
        y = nearest_pixel(fma(ys[k], slope_y, column_y), halves.height) - top
        if (x >= 0) & (x < across) & (y >= 0) & (y < down):
            index = np.int32(y) * np.int32(width) + np.int32(x)
            words[k] = flat[np.uint64(np.uint32(index))]
        else:
            words[k] = 0


@compiled
def _accumulate(values: Floats, index: int, side: ResizeWeights, sums: Floats, first: int) -> None:
    """Add the values (channels * m,) of input pixel `index` to sums, as torch rounds them.

    `sums` are (resized, channels, n), of which those from `first` on are added to.
    """
    channels = sums.shape[1]
    count = len(values) // channels
    weights = side.by_output[index % len(side.by_output)]
    for k in range(side.first_output[index], side.end_output[index]):
        weight, rounded = weights[k], index < side.fused_from[k]
        for channel in range(channels):
            row = sums[k, channel, first : first + count]
            added = values[channel * count : (channel + 1) * count]
            if rounded:
                for m in range(count):
                    row[m] += added[m] * weight
            else:
                for m in range(count):
                    row[m] = fma(added[m], weight, row[m])


@compiled
def add_band(
    band: Band, grid: SamplingGrid, halves: Halves, across: ResizeWeights, narrowed: Floats
) -> None:
    """Resize along rows what of a crop is sampled from a band.

    Bands that a row of the crop is sampled from must come in the order in which it is. What lies in
    none of them is black: it would add nothing.

    Args:
        band: the pixels.
        grid: where each pixel of the crop is sampled.
        halves: of the frame that it is a part of.
        across: weights of the crop's width.
        narrowed: (resized width, 3, height of the crop), is added to.
    """
    columns = grid.columns.shape[1]
    ys, slope = grid.rows[1], grid.slopes[1]
    all_words = np.empty(narrowed.shape[2], np.uint32)
    all_values = np.empty(3 * narrowed.shape[2], np.float32)
    for column in range(columns):
        y = grid.columns[1, column]
        to_start = _rows_before(band.start, ys, slope, y, halves.height)
        to_end = _rows_before(band.end, ys, slope, y, halves.height)
        first, count = min(to_start, to_end), abs(to_end - to_start)
        if count == 0:
            continue
        words, values = all_words[:count], all_values[: 3 * count]
        _sample(band, grid, halves, (column, first), words)
        for channel in range(3):
            shift, row = np.uint32(8 * channel), values[channel * count : (channel + 1) * count]
            for k in range(count):
                row[k] = as_float(np.float32(np.int32((words[k] >> shift) & np.uint32(0xFF))))
        _accumulate(values, column, across, narrowed, first)


@compiled
def resized_columns(narrowed: Floats, down: ResizeWeights) -> Floats:
    """Resize along columns.

    Args:
        narrowed: (width, 3, height of the crop).
        down: weights of that height.

    Returns:
        (resized height, width, 3)
    """
    width, channels, height = narrowed.shape
    resized = np.zeros((down.by_output.shape[1], 1, width * channels), np.float32)
    line = np.empty(width * channels, np.float32)
    for y in range(height):
        for k in range(width):
            for channel in range(channels):
                line[k * channels + channel] = narrowed[k, channel, y]
        _accumulate(line, y, down, resized, 0)
    return resized.reshape(len(resized), width, channels)
