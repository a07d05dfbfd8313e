"""Where the image that was sent lies in its source, to show what was cut from it.

The validator rotates a frame first and crops it then (DOMAIN.md §2), so that in the source a crop
is a rotated rectangle, and may reach past the frame into the black that the rotation brought in.
Pixels are sampled by `replay.augmentation.crop_kernel`; positions here are real numbers, off by
half a pixel at most.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from matplotlib.transforms import Affine2D, Transform

from data.records.types import Augmentation, Geometry

_SIDE = 224  # of the square that a letterbox fills, as logged

Corners = npt.NDArray[np.float64]
"""(4, 2): x to the right and y down of the top left, top right, bottom right and bottom left."""

_SLACK = 1e-6  # of a pixel: what a matrix and its inverse lose
_UNIT_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@dataclass(frozen=True)
class Placement:
    """How the sent image lies in its source.

    `to_source` maps positions in the sent image, from (0, 0) at its top left to (1, 1) at its
    bottom right, to source pixels; (0, 0) is the outer corner of the first pixel, (0.5, 0.5) its
    middle.
    """

    to_source: Transform
    source_size: tuple[int, int]

    @cached_property
    def outline(self) -> Corners:
        """The corners of the sent image, as sent, in source pixels; some may lie outside."""
        return _corners(_UNIT_SQUARE, self.to_source)

    @cached_property
    def frame(self) -> Corners:
        """The corners of the source, in sides of the sent image; most lie outside 0..1."""
        return _corners(np.multiply(_UNIT_SQUARE, self.source_size), self.to_source.inverted())

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
    to_source = _to_source(augmentation, *source_size)
    return None if to_source is None else Placement(to_source, source_size)


def _to_source(augmentation: Augmentation, width: int, height: int) -> Transform | None:
    match augmentation.geometry:
        case Geometry.NONE:
            return _to_rectangle(0, 0, width, height)
        case Geometry.CROP if augmentation.aug_level == 0:
            return _centre_crop(width, height)
        case Geometry.CROP:
            crop, rotation = _crop(augmentation), _rotation(augmentation, width, height)
            if crop is None or rotation is None:
                return None
            return _flip(augmentation) + crop + rotation
        case Geometry.LETTERBOX:
            return _letterbox(augmentation, width, height)
        case None:
            return None


def _letterbox(augmentation: Augmentation, width: int, height: int) -> Transform | None:
    """E9: padded to a square, then from level 1 on rotated together with its padding."""
    square, unpadding = _to_rectangle(0, 0, _SIDE, _SIDE), _unpadding(augmentation, width, height)
    if unpadding is None:
        return None
    if augmentation.aug_level == 0:
        return square + unpadding
    rotation = _rotation(augmentation, _SIDE, _SIDE)
    return None if rotation is None else _flip(augmentation) + square + rotation + unpadding


def _centre_crop(width: int, height: int) -> Transform:
    """Level 0: torchvision's CenterCrop to the shorter side."""
    shorter = min(width, height)
    left, top = round((width - shorter) / 2), round((height - shorter) / 2)
    return _to_rectangle(left, top, shorter, shorter)


def _crop(augmentation: Augmentation) -> Transform | None:
    top, left = augmentation.crop_top, augmentation.crop_left
    height, width = augmentation.crop_height, augmentation.crop_width
    if top is None or left is None or not height or not width:
        return None
    return _to_rectangle(left, top, width, height)


def _unpadding(augmentation: Augmentation, width: int, height: int) -> Transform | None:
    """From the padded square back to the source: padding off, then scaled up."""
    inner_width, inner_height = augmentation.letterbox_width, augmentation.letterbox_height
    if not inner_width or not inner_height or not augmentation.letterbox_padding:
        return None
    left, top = augmentation.letterbox_padding[:2]
    return _to_rectangle(left, top, inner_width / width, inner_height / height).inverted()


def _to_rectangle(left: float, top: float, width: float, height: float) -> Transform:
    """From the unit square to a rectangle."""
    return Affine2D().scale(width, height).translate(left, top)


def _rotation(augmentation: Augmentation, width: int, height: int) -> Transform | None:
    """From the frame rotated counter-clockwise to the frame before: clockwise, for y is down.

    About the middle of the frame, as torchvision does.
    """
    if augmentation.angle is None:
        return None
    return Affine2D().rotate_deg_around(width / 2, height / 2, augmentation.angle)


def _flip(augmentation: Augmentation) -> Transform:
    """Within the unit square."""
    return _to_rectangle(
        float(augmentation.flip_horizontal),
        float(augmentation.flip_vertical),
        -1.0 if augmentation.flip_horizontal else 1.0,
        -1.0 if augmentation.flip_vertical else 1.0,
    )


def _corners(corners: Corners, transform: Transform) -> Corners:
    return np.asarray(transform.transform(corners), dtype=np.float64)
