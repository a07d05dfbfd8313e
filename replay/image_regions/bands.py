"""The bands in which a part of a frame is decoded: small enough to stay in a processor's cache."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from replay.image_regions.baseline_jpeg import Box

Corners = npt.NDArray[np.float64]
"""(4, 2): x and y of the corners of a convex outline, in order around it."""

# A whole number of MCUs whatever the subsampling. Each band decodes a margin of two rows of MCUs
# besides, and a quarter of a rotated crop's bounding box is not needed.
_ROWS = 256


def bands(box: Box) -> Iterator[Box]:
    """A box, cut into bands from top to bottom."""
    left, top, right, bottom = box
    while top < bottom:
        end = min(top - top % _ROWS + _ROWS, bottom)
        yield left, top, right, end
        top = end


def bands_within(box: Box, outline: Corners, margin: int) -> Iterator[Box]:
    """The bands of a box, each only as wide as an outline is there.

    Args:
        box: what bands lie in.
        outline: what is needed of it.
        margin: pixels on every side of the outline that are needed, too.
    """
    for left, top, right, bottom in bands(box):
        crossed = _across(outline, top - margin, bottom + margin)
        if len(crossed):
            start = max(left, int(np.floor(crossed.min())) - margin)
            end = min(right, int(np.ceil(crossed.max())) + margin)
            if start < end:
                yield start, top, end, bottom


def _across(outline: Corners, low: float, high: float) -> npt.NDArray[np.float64]:
    """The x of an outline's corners between two heights, and of where its sides cross them."""
    begins, ends = outline, np.roll(outline, -1, axis=0)
    inside = outline[(outline[:, 1] >= low) & (outline[:, 1] <= high), 0]
    crossings = [inside]
    for height in (low, high):
        crossed = (begins[:, 1] < height) != (ends[:, 1] < height)
        start, end = begins[crossed], ends[crossed]
        share = (height - start[:, 1]) / (end[:, 1] - start[:, 1])
        crossings.append(start[:, 0] + share * (end[:, 0] - start[:, 0]))
    return np.concatenate(crossings)
