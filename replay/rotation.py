"""torchvision's rotation of a whole frame, computed for the pixels of a crop alone.

`replay.grid` says where each pixel comes from; here the pixels are fetched. A crop comes in strips
of rows, so that what is computed on the way to it takes little memory.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from replay.grid import FrameGrid

Box = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""

Strip = npt.NDArray[np.uint8]
"""Some rows of a crop, whole: (rows, width of the crop, 3)."""

# Some 25 bytes a pixel are computed on the way: 6 MiB, where a whole 12-megapixel frame would take
# 300. Shorter strips lose more to the twenty calls a strip than they gain from the cache.
STRIP_PIXELS = 1 << 18

# cv2.remap keeps coordinates in 16 bits.
_REMAP_SIDE = 32_767


def rotated(image: Image.Image, angle: float) -> npt.NDArray[np.uint8]:
    """The whole rotated frame, (H, W, 3); see `rotated_strips`."""
    box = (0, 0, image.height, image.width)
    return np.concatenate(list(rotated_strips(image, angle, box)))


def rotated_strips(image: Image.Image, angle: float, box: Box) -> Iterator[Strip]:
    """Rotate counter-clockwise about the centre: nearest pixel, same size, black outside.

    Args:
        image: RGB.
        angle: degrees.
        box: the part of the rotated frame that is wanted, inside the frame.

    Yields:
        The box from top to bottom.
    """
    top, left, height, width = box
    grid = FrameGrid(angle, image.height, image.width)
    columns = slice(left, left + width)
    pixels, region_top, region_left = _region(image, grid, box)
    step = max(1, STRIP_PIXELS // width)
    for start in range(top, top + height, step):
        rows = slice(start, min(start + step, top + height))
        from_columns, from_rows = grid.sources(rows, columns)
        from_columns.sub_(region_left)
        from_rows.sub_(region_top)
        yield fetched(pixels, from_columns.numpy(), from_rows.numpy())


def fetched(
    pixels: npt.NDArray[np.uint8],
    columns: npt.NDArray[np.float32],
    rows: npt.NDArray[np.float32],
) -> npt.NDArray[np.uint8]:
    """The pixels at whole-numbered places, (h, w, 3); black where a place lies outside."""
    height, width = pixels.shape[:2]
    if max(height, width, *columns.shape) < _REMAP_SIDE:
        # Nothing is left for OpenCV to round: the places are whole numbers already.
        black = (0, 0, 0)
        return np.asarray(
            cv2.remap(pixels, columns, rows, cv2.INTER_NEAREST, None, cv2.BORDER_CONSTANT, black),
            dtype=np.uint8,
        )
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    found = np.zeros((*columns.shape, 3), dtype=np.uint8)
    found[inside] = pixels[rows[inside].astype(np.intp), columns[inside].astype(np.intp)]
    return found


def _region(
    image: Image.Image, grid: FrameGrid, box: Box
) -> tuple[npt.NDArray[np.uint8], int, int]:
    """The part of the source that the box is drawn from, its top and its left.

    Unpacking a frame from Pillow's four bytes a pixel costs as much as turning it. Places grow or
    fall steadily along rows and columns, so that the corners hold the extremes; one pixel more on
    every side makes up for their being rough.
    """
    top, left, height, width = box
    columns, rows = grid.roughly(
        slice(top, top + height, max(1, height - 1)), slice(left, left + width, max(1, width - 1))
    )
    west, east = max(0, int(columns.min()) - 1), min(image.width, int(columns.max()) + 2)
    north, south = max(0, int(rows.min()) - 1), min(image.height, int(rows.max()) + 2)
    # A box wholly outside still needs a pixel to be cut from.
    west, north = min(west, image.width - 1), min(north, image.height - 1)
    east, south = max(east, west + 1), max(south, north + 1)
    return np.asarray(image.crop((west, north, east, south))), north, west
