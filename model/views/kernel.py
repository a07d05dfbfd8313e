"""The compiled loops of view extraction: weighted sums of rows, then of columns."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from analytics.numba_loops import kept

P = ParamSpec("P")
R = TypeVar("R")

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def _compiled(function: Callable[P, R]) -> Callable[P, R]:
    """As `analytics.numba_loops`, but sums may be reordered, and other threads run meanwhile.

    Sums of a few dozen float32 products then fill the processor's vectors; the last bits may differ
    between kinds of processor, which is far below what a view is compared by.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": True, "error_model": "numpy"}
    return cast(Callable[P, R], kept(numba.njit(**options)(function)))


@_compiled
def _weighted_rows(
    image: npt.NDArray[np.uint8], first: int, weights: Floats, low: int, high: int, out: Floats
) -> None:
    """The weighted sum of rows first, first + 1, ... between two columns of bytes."""
    out[:] = 0
    k = 0
    # Four rows at once: the sum is then read and written a quarter as often.
    while k + 4 <= len(weights):
        a, b = image[first + k, low:high], image[first + k + 1, low:high]
        c, d = image[first + k + 2, low:high], image[first + k + 3, low:high]
        wa, wb, wc, wd = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        for j in range(len(out)):
            out[j] += (
                wa * np.float32(a[j])
                + wb * np.float32(b[j])
                + wc * np.float32(c[j])
                + wd * np.float32(d[j])
            )
        k += 4
    while k < len(weights):
        a, wa = image[first + k, low:high], weights[k]
        for j in range(len(out)):
            out[j] += wa * np.float32(a[j])
        k += 1


@_compiled
def _to_normalised_planes(row: Floats, scale: Floats, shift: Floats, planes: Floats) -> None:
    """Interleaved red, green, blue (3 * n,) to three normalised rows (3, n)."""
    red, green, blue = planes[0], planes[1], planes[2]
    for x in range(len(red)):
        red[x] = row[3 * x] * scale[0] + shift[0]
        green[x] = row[3 * x + 1] * scale[1] + shift[1]
        blue[x] = row[3 * x + 2] * scale[2] + shift[2]


@_compiled
def _weighted_columns(row: Floats, starts: Ints, weights: Floats, count: int, out: Floats) -> None:
    """out[x] = sum over k < count of weights[x, k] * row[starts[x] + k]."""
    # Enlarged views have two or three taps a pixel, for which a loop costs more than its sums.
    if count == 2:  # noqa: PLR2004
        for x in range(len(out)):
            a = np.uint64(starts[x])
            out[x] = weights[x, 0] * row[a] + weights[x, 1] * row[a + np.uint64(1)]
    elif count == 3:  # noqa: PLR2004
        for x in range(len(out)):
            a = np.uint64(starts[x])
            out[x] = (
                weights[x, 0] * row[a]
                + weights[x, 1] * row[a + np.uint64(1)]
                + weights[x, 2] * row[a + np.uint64(2)]
            )
    else:
        for x in range(len(out)):
            taps, values = weights[x, :count], row[starts[x] : starts[x] + count]
            total = np.float32(0)
            for k in range(count):
                total += taps[k] * values[k]
            out[x] = total


@_compiled
def extract_band(
    image: npt.NDArray[np.uint8],
    row_starts: Ints,
    row_weights: Floats,
    low: int,
    high: int,
    views: Ints,
    column_starts: Ints,
    column_weights: Floats,
    column_counts: Ints,
    scale: Floats,
    shift: Floats,
    out: Floats,
) -> None:
    """All views of one image that share a range of rows: its rows are summed once for them.

    Args:
        image: (H, 3 * W) bytes, interleaved.
        row_starts: (side,) first row of each output row.
        row_weights: (side, taps), each row summing to 1.
        low: first pixel column that these views need.
        high: the column after the last.
        views: which of the 12 they are.
        column_starts: (12, side) first column of each output column, counted from `low`.
        column_weights: (12, side, most taps).
        column_counts: (12,) number of taps of each view; further weights are padding.
        scale: (3,) factor of each channel, on bytes.
        shift: (3,) added after it.
        out: (12, 3, side, side), of which `views` are filled.
    """
    row = np.empty(3 * (high - low), np.float32)
    planes = np.empty((3, high - low), np.float32)
    for y in range(len(row_starts)):
        _weighted_rows(image, row_starts[y], row_weights[y], 3 * low, 3 * high, row)
        _to_normalised_planes(row, scale, shift, planes)
        for view in views:
            starts, weights = column_starts[view], column_weights[view]
            for channel in range(3):
                _weighted_columns(
                    planes[channel], starts, weights, column_counts[view], out[view, channel, y]
                )
