"""Weights of the antialiased bilinear resize of a view, along one side."""

import numpy as np

from model.views.kernel import Floats, Ints

PixelRange = tuple[int, int]
"""The first pixel of a range, and the one after its last."""


def resize_weights(pixel_range: PixelRange, side: int) -> tuple[Ints, Floats]:
    """Resampling weights (side, weights) of each output pixel, and its first input pixel (side,).

    The triangle filter of torch's `interpolate(mode="bilinear", antialias=True)` (the same as
    Pillow's), widened to the scale when a range is shrunk.
    """
    first, end = pixel_range
    size = end - first
    scale = size / side
    support = max(scale, 1.0)
    centre = scale * (np.arange(side) + 0.5)
    low = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    high = np.minimum((centre + support + 0.5).astype(np.int64), size)
    count = int((high - low).max())
    # all rows of weights equally long: a short one starts earlier, with weights of 0
    starts = np.minimum(low, size - count)
    pixel = starts[:, None] + np.arange(count)
    weights = np.maximum(1 - np.abs(pixel + 0.5 - centre[:, None]) / support, 0)
    weights *= (pixel >= low[:, None]) & (pixel < high[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    return starts + first, weights.astype(np.float32)
