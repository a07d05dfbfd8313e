"""Rotate, crop and resize in one pass of compiled loops over the source's pixels.

The validator's functions go over the whole frame some twenty times, in float32. Here a pixel is
sampled, converted to float, and added with its weights to the few output pixels that it contributes
to, all of which stay in the processor's nearest caches: nothing of the frame's size is written.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled
from replay.augmentation.fused_multiply_add import fma

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

# Rows worked on together: one column of them is 3 KiB for each output pixel that it is added to.
_TILE = 256

_HALF, _ONE = np.float32(0.5), np.float32(1)


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


class SourceWindow(NamedTuple):
    """The part of a frame that a crop is sampled from; everything outside is black."""

    pixels: npt.NDArray[np.uint8]
    """(h, w, 3)"""
    left: int
    top: int
    half_width: np.float32
    """Half the width of the whole frame, in pixels."""
    half_height: np.float32


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
def _accumulate(values: Floats, index: int, side: ResizeWeights, sums: Floats) -> None:
    """Add the values (m,) of input pixel `index` to the sums (resized, m), as torch rounds them."""
    weights = side.by_output[index % len(side.by_output)]
    for k in range(side.first_output[index], side.end_output[index]):
        weight, row = weights[k], sums[k]
        if index < side.fused_from[k]:
            for m in range(len(values)):
                row[m] += values[m] * weight
        else:
            for m in range(len(values)):
                row[m] = fma(values[m], weight, row[m])


@compiled
def _source_offsets(
    source: SourceWindow,
    column: Floats,
    rows: Floats,
    slopes: Floats,
    offsets: npt.NDArray[np.int32],
) -> None:
    """Byte offsets into the source of one column of sampled pixels; -1 where it is black."""
    height, width, _ = source.pixels.shape
    left, top = np.float32(source.left), np.float32(source.top)
    across, down = np.float32(width), np.float32(height)
    column_x, column_y = column[0], column[1]
    slope_x, slope_y = slopes[0], slopes[1]
    for k in range(rows.shape[1]):
        x = nearest_pixel(fma(rows[0, k], slope_x, column_x), source.half_width) - left
        y = nearest_pixel(fma(rows[1, k], slope_y, column_y), source.half_height) - top
        inside = (x >= 0) & (x < across) & (y >= 0) & (y < down)
        offset = (np.int32(y) * np.int32(width) + np.int32(x)) * np.int32(3)
        offsets[k] = offset if inside else np.int32(-1)


@compiled
def _gather(
    source: SourceWindow, offsets: npt.NDArray[np.int32], as_float: Floats, values: Floats
) -> None:
    """Sample the pixels at these offsets: all red values, then all green, then all blue."""
    count, raw = len(offsets), source.pixels.reshape(-1)
    for k in range(count):
        if offsets[k] < 0:
            values[k] = values[count + k] = values[2 * count + k] = 0
        else:
            start = np.uint64(offsets[k])  # unsigned: no index counts from the end
            for channel in range(3):
                values[channel * count + k] = as_float[raw[start + np.uint64(channel)]]


@compiled
def rotated_crop(
    source: SourceWindow,
    grid: SamplingGrid,
    across: ResizeWeights,
    down: ResizeWeights,
    as_float: Floats,
) -> Floats:
    """Sample a crop pixel by pixel, and resize it along rows, then along columns.

    Args:
        source: the pixels.
        grid: where each pixel of the crop is sampled.
        across: weights of the crop's width.
        down: weights of its height.
        as_float: (256,), the float that `ToTensor` converts each byte to.

    Returns:
        (resized height, resized width, 3)
    """
    width, height = grid.columns.shape[1], grid.rows.shape[1]
    side = across.by_output.shape[1]
    resized = np.zeros((down.by_output.shape[1], 3 * side), np.float32)
    line = np.empty(3 * side, np.float32)
    for top in range(0, height, _TILE):
        rows = np.ascontiguousarray(grid.rows[:, top : top + _TILE])  # strided: half as fast
        count = rows.shape[1]
        offsets = np.empty(count, np.int32)
        values = np.empty(3 * count, np.float32)
        narrowed = np.zeros((side, 3 * count), np.float32)
        for x in range(width):
            _source_offsets(source, grid.columns[:, x], rows, grid.slopes, offsets)
            _gather(source, offsets, as_float, values)
            _accumulate(values, x, across, narrowed)
        for y in range(count):
            for k in range(3 * side):
                line[k] = narrowed[k // 3, k % 3 * count + y]
            _accumulate(line, top + y, down, resized)
    return resized.reshape(len(resized), side, 3)
