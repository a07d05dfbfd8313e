"""A rotated and resized crop of a frame, equal to torchvision's, without torchvision.

`crop_kernel` computes them from the crop's own pixels, in the arithmetic of `rotation_grid` and
`resize_weights`: the same bits on every machine, whatever its processor and libraries.
"""

import math
import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from replay.augmentation.crop_kernel import (
    Band,
    Floats,
    Halves,
    SamplingGrid,
    add_band,
    resized_columns,
)
from replay.augmentation.resize_weights import resize_weights
from replay.augmentation.rotation_grid import frame_grid
from replay.image_regions.bands import bands_within
from replay.image_regions.frames import Frame
from replay.settings import Arithmetic

Crop = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""

# Pixels around the sampled ones: positions are approximate where it is decided what is decoded.
_MARGIN = 2

# As many sums stay in a thread's memory for its next crop, if it takes no more: one 10,000 high.
_MOST_KEPT = 224 * 3 * 10_000


class _Memory(threading.local):
    """Memory of a thread's crop: the system takes longer to hand out pages than to fill them."""

    def __init__(self) -> None:
        self._kept: Floats = np.zeros(0, np.float32)

    def zeros(self, shape: tuple[int, ...]) -> Floats:
        """Zeros; the last ones of this thread are given up."""
        count = math.prod(shape)
        if count > _MOST_KEPT:
            return np.zeros(shape, np.float32)
        if len(self._kept) < count:
            self._kept = np.empty(count, np.float32)
        zeros = self._kept[:count].reshape(shape)
        zeros.fill(0)
        return zeros


_memory = _Memory()


def resized_crop(
    frame: Frame, angle: float, box: Crop, side: int, arithmetic: Arithmetic
) -> npt.NDArray[np.uint8]:
    """ToTensor, rotate, resized_crop with antialiasing, ToPILImage (times 255, truncated).

    The rotation is counter-clockwise about the centre: nearest pixel, same size, black outside.

    Args:
        frame: the source.
        angle: degrees, at most `replay.augmentation.rotation_grid.MAX_DEGREES` either way.
        box: the crop of the rotated frame, inside the frame.
        side: pixels of a side of the result.
        arithmetic: by which the frame is rotated.

    Returns:
        (side, side, 3)

    Raises:
        SourceError: the frame cannot be decoded.
    """
    values = crop_values(frame, angle, box, (side, side), arithmetic)
    pixels: npt.NDArray[np.uint8] = (values * np.float32(255)).astype(np.uint8)
    return pixels


def crop_values(
    frame: Frame, angle: float, box: Crop, size: tuple[int, int], arithmetic: Arithmetic
) -> Floats:
    """The same as floats in 0..1, for a `size` of (height, width)."""
    top, left, height, width = box
    across, down = frame.size
    whole = frame_grid(angle, down, across, arithmetic)
    # strided ones take the loops twice as long
    columns = np.ascontiguousarray(whole.columns[:, left : left + width])
    rows = np.ascontiguousarray(whole.rows[:, top : top + height])
    grid = SamplingGrid(columns, rows, whole.slopes)
    halves = Halves(*(np.float32(length) / np.float32(2) for length in frame.size))
    weights = resize_weights(width, size[1])
    narrowed = _memory.zeros((size[1], 3, height))
    for band in _bands(frame, grid):
        add_band(band, grid, halves, weights, narrowed)
    return resized_columns(narrowed, resize_weights(height, size[0]))


def _bands(frame: Frame, grid: SamplingGrid) -> Iterator[Band]:
    """The part of a frame that a crop is sampled from, in bands of rows.

    The part is a parallelogram, whose corners are those of the grid, as far as it lies inside the
    frame. Bands come in the order in which the rows of the crop run through them.
    """
    products = grid.rows * grid.slopes[:, None]
    around = [(0, 0), (-1, 0), (-1, -1), (0, -1)]
    corners = np.array([grid.columns[:, x] + products[:, y] for x, y in around], np.float64)
    outline = (corners + 1) * np.array(frame.size) / 2
    lowest = np.floor(outline.min(axis=0)).astype(int) - _MARGIN
    highest = np.ceil(outline.max(axis=0)).astype(int) + _MARGIN
    left, top = (int(start) for start in np.clip(lowest, 0, frame.size))
    right, bottom = (int(end) for end in np.clip(highest, 0, frame.size))
    boxes = list(bands_within((left, top, right, bottom), outline, _MARGIN))
    rising = grid.columns[1, -1] < grid.columns[1, 0]
    for box in reversed(boxes) if rising else boxes:
        part = frame.part(box)
        yield Band(part.words, part.left, part.top, box[1], box[3])
