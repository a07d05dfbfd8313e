"""A rotated and resized crop of a frame: torchvision's values, without torchvision.

`crop_kernel` computes them from the crop's own pixels, in the arithmetic of `rotation_grid` and
`resize_weights`: the same bits on every machine, whatever its processor and libraries.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from replay.augmentation.crop_kernel import Floats, SamplingGrid, SourceWindow, rotated_crop
from replay.augmentation.resize_weights import resize_weights
from replay.augmentation.rotation_grid import frame_grid
from replay.settings import Arithmetic

Box = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""

# As `ToTensor` makes them.
_BYTES_AS_FLOAT = np.arange(256, dtype=np.float32) / np.float32(255)

# Pillow's pixels of four bytes become arrays of three by way of a copy, which fits the cache so.
_ROWS_READ = 64


def resized_crop(
    image: Image.Image, angle: float, box: Box, side: int, arithmetic: Arithmetic
) -> npt.NDArray[np.uint8]:
    """ToTensor, rotate, resized_crop with antialiasing, ToPILImage (times 255, truncated).

    The rotation is counter-clockwise about the centre: nearest pixel, same size, black outside.

    Args:
        image: RGB.
        angle: degrees, at most `replay.augmentation.rotation_grid.MAX_DEGREES` either way.
        box: the part of the rotated frame that is wanted, inside the frame.
        side: of the result.
        arithmetic: of the rotation.

    Returns:
        (side, side, 3)
    """
    values = crop_values(image, angle, box, (side, side), arithmetic)
    pixels: npt.NDArray[np.uint8] = (values * np.float32(255)).astype(np.uint8)
    return pixels


def crop_values(
    image: Image.Image, angle: float, box: Box, size: tuple[int, int], arithmetic: Arithmetic
) -> Floats:
    """The same before it becomes bytes, for a `size` of (height, width): 0 to 1."""
    top, left, height, width = box
    whole = frame_grid(angle, image.height, image.width, arithmetic)
    columns, rows = whole.columns[:, left : left + width], whole.rows[:, top : top + height]
    grid = SamplingGrid(columns, rows, whole.slopes)
    down, across = resize_weights(height, size[0]), resize_weights(width, size[1])
    return rotated_crop(_source(image, grid), grid, across, down, _BYTES_AS_FLOAT)


def _source(image: Image.Image, grid: SamplingGrid) -> SourceWindow:
    """The part of the frame that the crop is drawn from.

    Places grow or fall steadily along rows and columns, so that the corners hold the extremes; a
    pixel more on every side makes up for their being rough.
    """
    shares = grid.rows * grid.slopes[:, None]
    corners = grid.columns[:, [0, -1], None] + shares[:, None, [0, -1]]
    halves = np.array([image.width, image.height], np.float32) / 2
    places = (corners.reshape(2, 4).T + 1) * halves
    west, north = (max(0, int(place) - 2) for place in places.min(axis=0))
    east, south = (int(place) + 2 for place in places.max(axis=0))
    # A box wholly outside still needs a pixel to be cut from.
    west, north = min(west, image.width - 1), min(north, image.height - 1)
    east, south = min(max(east, west + 1), image.width), min(max(south, north + 1), image.height)
    return SourceWindow(_pixels(image, west, north, east, south), west, north, halves[0], halves[1])


def _pixels(
    image: Image.Image, west: int, north: int, east: int, south: int
) -> npt.NDArray[np.uint8]:
    """(south - north, east - west, 3)"""
    pixels = np.empty((south - north, east - west, 3), np.uint8)
    for start in range(north, south, _ROWS_READ):
        end = min(start + _ROWS_READ, south)
        pixels[start - north : end - north] = np.asarray(image.crop((west, start, east, end)))
    return pixels
