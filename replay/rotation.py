"""A rotated and resized crop of a frame: torchvision's values, by whichever way gives them here.

`replay.crop_loops` computes them from the crop's own pixels, in arithmetic that `replay.grid` and
`replay.resize` take from torch. Which products are rounded before they are added is up to the
processor and to torch's build, so the loops are held against torchvision once a process. Where no
known order of rounding gives its bits, torchvision itself is called: over ten times as long.
"""

import functools

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from replay.crop_loops import Floats, Grid, Source, turned_crop
from replay.grid import frame_grid, grid_holds
from replay.resize import resize, taps

Box = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""

# How many products torch's builds round at a time: AVX2 4, without vectors 1.
GROUPS = (4, 8, 16, 2, 1)

_CHECKED_SIDE = 16

# As `ToTensor` makes them.
_BYTES_AS_FLOAT = torch.arange(256).to(torch.float32).div(255).numpy()

# Pillow's pixels of four bytes become arrays of three by way of a copy, which fits the cache so.
_ROWS_READ = 64


def resized_crop(image: Image.Image, angle: float, box: Box, side: int) -> npt.NDArray[np.uint8]:
    """ToTensor, rotate, resized_crop with antialiasing, ToPILImage (times 255, truncated).

    The rotation is counter-clockwise about the centre: nearest pixel, same size, black outside.

    Args:
        image: RGB.
        angle: degrees.
        box: the part of the rotated frame that is wanted, inside the frame.
        side: of the result.

    Returns:
        (side, side, 3)
    """
    group = rounded_group()
    if group is None:
        values = by_torchvision(image, angle, box, side)
    else:
        values = by_loops(image, angle, box, side, group)
    pixels: torch.Tensor = torch.from_numpy(values).mul(255).byte()
    return pixels.numpy()


@functools.cache
def rounded_group() -> int | None:
    """The one of `GROUPS` by which the loops give torchvision's bits here; None if none does."""
    if not grid_holds():
        return None
    return next(filter(_resizes_alike, GROUPS), None)


def _resizes_alike(group: int) -> bool:
    """Whether all values of resized noise are torch's, for windows of 2 to 50 pixels."""
    rng = np.random.default_rng(0)
    for length in (9, 37, 61, 97, 150, 233, 389):
        noise = rng.integers(0, 256, (length, length, 3), dtype=np.uint8)
        whole = (0, 0, length, length)
        found = by_loops(Image.fromarray(noise), 0.0, whole, _CHECKED_SIDE, group)
        values = torch.from_numpy(_BYTES_AS_FLOAT[noise].transpose(2, 0, 1).copy())
        expected = resize(values, _CHECKED_SIDE, _CHECKED_SIDE)
        if not np.array_equal(found, expected.transpose(1, 2, 0)):
            return False
    return True


def by_torchvision(image: Image.Image, angle: float, box: Box, side: int) -> Floats:
    """What the validator calls: (side, side, 3), 0 to 1."""
    # importing it takes as long as importing torch, and most machines never come here
    from torchvision.transforms import functional as F  # noqa: N812, PLC0415

    turned = F.rotate(F.to_tensor(image), angle)
    values: torch.Tensor = F.resized_crop(turned, *box, size=[side, side], antialias=True)
    return values.permute(1, 2, 0).contiguous().numpy()


def by_loops(image: Image.Image, angle: float, box: Box, side: int, group: int) -> Floats:
    """The same if `group` is right; see `replay.resize.taps`."""
    top, left, height, width = box
    whole = frame_grid(angle, image.height, image.width)
    grid = Grid(whole.columns[:, left : left + width], whole.rows[:, top : top + height])
    across, down = taps(width, side, group), taps(height, side, group)
    return turned_crop(_source(image, grid), grid, across, down, _BYTES_AS_FLOAT)


def _source(image: Image.Image, grid: Grid) -> Source:
    """The part of the frame that the crop is drawn from.

    Places grow or fall steadily along rows and columns, so that the corners hold the extremes; a
    pixel more on every side makes up for their being rough.
    """
    corners = grid.columns[:, [0, -1], None] + grid.rows[:, None, [0, -1]]
    halves = np.array([image.width, image.height], np.float32) / 2
    places = (corners.reshape(2, 4).T + 1) * halves
    west, north = (max(0, int(place) - 2) for place in places.min(axis=0))
    east, south = (int(place) + 2 for place in places.max(axis=0))
    # A box wholly outside still needs a pixel to be cut from.
    west, north = min(west, image.width - 1), min(north, image.height - 1)
    east, south = min(max(east, west + 1), image.width), min(max(south, north + 1), image.height)
    return Source(_pixels(image, west, north, east, south), west, north, halves[0], halves[1])


def _pixels(
    image: Image.Image, west: int, north: int, east: int, south: int
) -> npt.NDArray[np.uint8]:
    """(south - north, east - west, 3)"""
    pixels = np.empty((south - north, east - west, 3), np.uint8)
    for start in range(north, south, _ROWS_READ):
        end = min(start + _ROWS_READ, south)
        pixels[start - north : end - north] = np.asarray(image.crop((west, start, east, end)))
    return pixels
