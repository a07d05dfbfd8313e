"""The weights of torch's antialiased bilinear resize, equal to the bit, and its order of rounding.

`_upsample_bilinear2d_aa` makes each output pixel a weighted sum over a window of input pixels
(ATen/native/cpu/UpSampleKernel.cpp, `_compute_indices_min_size_weights_aa`). Windows and weights
are computed here as there: float32, but for what C++ makes double.

The sum, `interpolate_aa_single_dim`, runs in order. Yet compilers vectorise most of it, a group of
products at a time, so that these are rounded before they are added, one after the other; what is
left behind the last full group is fused, each product with its sum. torch's builds for
AVX2, which those for AVX-512 call too, take groups of four: the golden images were made so.
"""

import functools

import numpy as np

from replay.augmentation.crop_kernel import Floats, Indices, ResizeWeights

GROUP = 4
"""Products rounded together; the first of a window is by itself."""


@functools.lru_cache(maxsize=8)
def resize_weights(length: int, resized: int) -> ResizeWeights:
    """Weights of the resize of one side.

    Args:
        length: pixels of the side.
        resized: pixels of it afterwards.
    """
    start, size, weights = _windows(length, resized)
    period = min(length, len(weights))
    by_output = np.zeros((period, resized), np.float32)
    for offset, row in enumerate(weights[:period]):
        (inside,) = np.nonzero(offset < size)
        by_output[(start[inside] + offset) % period, inside] = row[inside]
    indices = np.arange(length)
    return ResizeWeights(
        first_output=np.searchsorted(start + size, indices, side="right"),
        end_output=np.searchsorted(start, indices, side="right"),
        fused_from=start + 1 + (size - 1) // GROUP * GROUP,
        by_output=by_output,
    )


def _windows(length: int, resized: int) -> tuple[Indices, Indices, Floats]:
    """Start (resized,), length (resized,) and weights (longest, resized) of each output's window.

    Weights past a window's end are 0.
    """
    scale = np.float32(length) / np.float32(resized)
    support = max(scale, np.float32(1))
    centres = (np.float64(scale) * (np.arange(resized) + 0.5)).astype(np.float32)
    start: Indices = np.maximum(_rounded(centres - support), 0)
    longest = int(np.ceil(support)) * 2 + 1
    size: Indices = np.clip(np.minimum(_rounded(centres + support), length) - start, 0, longest)
    offsets = np.arange(longest)[:, None]
    distances = (start + offsets).astype(np.float32) - centres
    scaled = np.abs(_scaled(distances, np.float32(1) / support))
    inside = (scaled < 1) & (offsets < size)
    weights: Floats = np.where(inside, np.float32(1) - scaled, np.float32(0))
    totals: Floats = np.zeros(resized, np.float32)
    for row in weights:  # in order: another one rounds otherwise
        totals += row
    weights /= totals
    return start, size, weights


def _rounded(ends: Floats) -> Indices:
    """Ends of windows as indices: a half is added in double, and the sum truncated."""
    return (ends.astype(np.float64) + 0.5).astype(np.intp)


def _scaled(distances: Floats, factor: np.float32) -> Floats:
    """Distances from the centres of pixels, in double, in units of half a window."""
    return ((distances.astype(np.float64) + 0.5) * np.float64(factor)).astype(np.float32)
