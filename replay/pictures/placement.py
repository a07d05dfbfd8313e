"""Where the image that was sent lies in its source: for the eye, and to point at what was cut.

The validator turns a frame first and crops it then (DOMAIN.md §2), so that in the source a crop is
a turned rectangle, and may reach past the frame into the black that the turn brought in. Pixels are
fetched by `replay.augmentation.crop_kernel`; here their places are real numbers, off by half a
pixel at most.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from data.records.types import Augmentation, Geometry

_SIDE = 224  # of the square that a letterbox fills, as logged

Matrix = npt.NDArray[np.float64]
"""(3, 3): an affine map of the plane, for columns (x, y, 1)."""

Corners = npt.NDArray[np.float64]
"""(4, 2): x to the right and y down of the top left, top right, bottom right and bottom left."""

_SLACK = 1e-6  # of a pixel: what a matrix and its inverse lose
_UNIT = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@dataclass(frozen=True)
class Placement:
    """How the sent image lies in its source.

    `to_source` takes places of the sent image, from (0, 0) at its top left to (1, 1) at its bottom
    right, to source pixels; (0, 0) is the outer corner of the first pixel, (0.5, 0.5) its middle.
    """

    to_source: Matrix
    source_size: tuple[int, int]

    @cached_property
    def outline(self) -> Corners:
        """The corners of the sent image, as sent, in source pixels; some may lie outside."""
        return _mapped(self.to_source, _UNIT)

    @cached_property
    def frame(self) -> Corners:
        """The corners of the source, in sides of the sent image; most lie outside 0..1."""
        back = np.asarray(np.linalg.inv(self.to_source), dtype=np.float64)
        return _mapped(back, np.multiply(_UNIT, self.source_size))

    @property
    def overhangs(self) -> bool:
        """Whether the sent image reaches past the source, so that there is black in it."""
        low, high = self.outline.min(axis=0), self.outline.max(axis=0)
        return bool((low < -_SLACK).any() or (high > np.add(self.source_size, _SLACK)).any())


def placement_of(augmentation: Augmentation, source_size: tuple[int, int]) -> Placement | None:
    """Where the image that was sent lies in its source; None where the log lacks a parameter.

    Args:
        augmentation: the logged parameters. A crop need not lie inside the frame.
        source_size: width and height of the cached image, in pixels.
    """
    found = _to_source(augmentation, *source_size)
    return None if found is None else Placement(found, source_size)


def _to_source(augmentation: Augmentation, width: int, height: int) -> Matrix | None:
    match augmentation.geometry:
        case Geometry.NONE:
            return _placed(0, 0, width, height)
        case Geometry.CROP if augmentation.aug_level == 0:
            return _centre(width, height)
        case Geometry.CROP:
            turn, box = _turn(augmentation, width, height), _crop(augmentation)
            return None if turn is None or box is None else turn @ box @ _flip(augmentation)
        case Geometry.LETTERBOX:
            return _letterbox(augmentation, width, height)
        case None:
            return None


def _letterbox(augmentation: Augmentation, width: int, height: int) -> Matrix | None:
    """E9: padded to a square, then from level 1 on turned, padding and all."""
    unboxed, square = _unboxed(augmentation, width, height), _placed(0, 0, _SIDE, _SIDE)
    if unboxed is None or augmentation.aug_level == 0:
        return None if unboxed is None else unboxed @ square
    turn = _turn(augmentation, _SIDE, _SIDE)
    return None if turn is None else unboxed @ turn @ square @ _flip(augmentation)


def _centre(width: int, height: int) -> Matrix:
    """Level 0: torchvision's CenterCrop to the shorter side."""
    shorter = min(width, height)
    left, top = round((width - shorter) / 2), round((height - shorter) / 2)
    return _placed(left, top, shorter, shorter)


def _crop(augmentation: Augmentation) -> Matrix | None:
    top, left = augmentation.crop_top, augmentation.crop_left
    height, width = augmentation.crop_height, augmentation.crop_width
    if top is None or left is None or not height or not width:
        return None
    return _placed(left, top, width, height)


def _unboxed(augmentation: Augmentation, width: int, height: int) -> Matrix | None:
    """From the padded square back to the source: padding off, then scaled up."""
    inner_width, inner_height = augmentation.letterbox_width, augmentation.letterbox_height
    if not inner_width or not inner_height or not augmentation.letterbox_padding:
        return None
    left, top = augmentation.letterbox_padding[:2]
    boxed = _placed(left, top, inner_width / width, inner_height / height)
    return np.asarray(np.linalg.inv(boxed), dtype=np.float64)


def _placed(left: float, top: float, width: float, height: float) -> Matrix:
    """The unit square, stretched and then moved."""
    return np.array([[width, 0.0, left], [0.0, height, top], [0.0, 0.0, 1.0]])


def _turn(augmentation: Augmentation, width: int, height: int) -> Matrix | None:
    """From the frame turned counter-clockwise back to the frame before: clockwise, for y is down.

    About the middle of the frame, as torchvision does.
    """
    if augmentation.angle is None:
        return None
    angle = math.radians(augmentation.angle)
    cos, sin = math.cos(angle), math.sin(angle)
    back = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    there, here = _placed(width / 2, height / 2, 1, 1), _placed(-width / 2, -height / 2, 1, 1)
    return np.asarray(there @ back @ here, dtype=np.float64)


def _flip(augmentation: Augmentation) -> Matrix:
    """Within the unit square."""
    return _placed(
        float(augmentation.flip_horizontal),
        float(augmentation.flip_vertical),
        -1.0 if augmentation.flip_horizontal else 1.0,
        -1.0 if augmentation.flip_vertical else 1.0,
    )


def _mapped(matrix: Matrix, points: Corners) -> Corners:
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2], dtype=np.float64)
