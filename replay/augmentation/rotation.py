"""A rotated and resized crop of a frame, equal to torchvision's, without torchvision.

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

# Pillow's pixels of four bytes become arrays of three through a copy; so few rows fit the cache.
_ROWS_READ = 64


def resized_crop(
    image: Image.Image, angle: float, box: Box, side: int, arithmetic: Arithmetic
) -> npt.NDArray[np.uint8]:
    """ToTensor, rotate, resized_crop with antialiasing, ToPILImage (times 255, truncated).

    The rotation is counter-clockwise about the centre: nearest pixel, same size, black outside.

    Args:
        image: RGB.
        angle: degrees, at most `replay.augmentation.rotation_grid.MAX_DEGREES` either way.
        box: the crop of the rotated frame, inside the frame.
        side: pixels of a side of the result.
        arithmetic: by which the frame is rotated.

    Returns:
        (side, side, 3)
    """
    values = crop_values(image, angle, box, (side, side), arithmetic)
    pixels: npt.NDArray[np.uint8] = (values * np.float32(255)).astype(np.uint8)
    return pixels


def crop_values(
    image: Image.Image, angle: float, box: Box, size: tuple[int, int], arithmetic: Arithmetic
) -> Floats:
    """The same as floats in 0..1, for a `size` of (height, width)."""
    top, left, height, width = box
    frame = frame_grid(angle, image.height, image.width, arithmetic)
    columns, rows = frame.columns[:, left : left + width], frame.rows[:, top : top + height]
    grid = SamplingGrid(columns, rows, frame.slopes)
    down, across = resize_weights(height, size[0]), resize_weights(width, size[1])
    return rotated_crop(_source(image, grid), grid, across, down, _BYTES_AS_FLOAT)


def _source(image: Image.Image, grid: SamplingGrid) -> SourceWindow:
    """The part of the frame that the crop is sampled from.

    Coordinates grow or fall steadily along rows and columns, so that the corners hold the extremes;
    a margin of a pixel on every side makes up for their being approximate.
    """
    products = grid.rows * grid.slopes[:, None]
    corners = grid.columns[:, [0, -1], None] + products[:, None, [0, -1]]
    halves = np.array([image.width, image.height], np.float32) / 2
    pixels = (corners.reshape(2, 4).T + 1) * halves
    west, north = (max(0, int(lowest) - 2) for lowest in pixels.min(axis=0))
    east, south = (int(highest) + 2 for highest in pixels.max(axis=0))
    # A crop that lies entirely outside still needs a window of one pixel.
    west, north = min(west, image.width - 1), min(north, image.height - 1)
    east, south = min(max(east, west + 1), image.width), min(max(south, north + 1), image.height)
    return SourceWindow(_pixels(image, west, north, east, south), west, north, halves[0], halves[1])


def _pixels(
    image: Image.Image, west: int, north: int, east: int, south: int
) -> npt.NDArray[np.uint8]:
    """The RGB pixels of a part of an image, (south - north, east - west, 3)."""
    pixels = np.empty((south - north, east - west, 3), np.uint8)
    for start in range(north, south, _ROWS_READ):
        end = min(start + _ROWS_READ, south)
        pixels[start - north : end - north] = np.asarray(image.crop((west, start, east, end)))
    return pixels
