"""The weights of torch's antialiased resize, and the order in which it rounds: to the bit.

`_upsample_bilinear2d_aa` makes each place of a resized side a weighted sum over a window of the
side (ATen/native/cpu/UpSampleKernel.cpp, `_compute_indices_min_size_weights_aa`). Windows and
weights are computed here as there: float32, but for what C++ makes double.

The sum, `interpolate_aa_single_dim`, runs in order. Yet compilers let vectors multiply most of it,
a group at a time, so that these products are rounded before they are added, one after the other;
what is left behind the last whole group is fused, each product with its sum. torch's builds for
AVX2, which those for AVX-512 call too, take groups of four: the golden images were made so.
"""

import functools

import numpy as np

from replay.augmentation.crop_kernel import Floats, Indices, ResizeWeights

GROUP = 4
"""Products rounded at a time; the first of a window is by itself."""


@functools.lru_cache(maxsize=8)
def resize_weights(length: int, resized: int) -> ResizeWeights:
    """What the places of a side count for.

    Args:
        length: of the side.
        resized: its length afterwards.
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
    """Where each window starts, how long it is, and its weights: (resized,) twice, (most, resized).

    Weights behind a window's end are 0.
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
    """A half is added in double, and the sum truncated."""
    return (ends.astype(np.float64) + 0.5).astype(np.intp)


def _scaled(distances: Floats, factor: np.float32) -> Floats:
    """From the middles of pixels, in double, and then in units of a window's half."""
    return ((distances.astype(np.float64) + 0.5) * np.float64(factor)).astype(np.float32)
