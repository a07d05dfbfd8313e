"""The validator's augmentation, applied again: from cached image and logged parameters to pixels.

The validator runs torchvision's functions one after another on whole frames (DOMAIN.md §2). This
module computes the same bytes from the crop's own pixels alone; tests compare the two. Levels 2
and 3 add distortions that the log does not hold; what this module gives is the image before them.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from data.errors import SourceError
from data.records.types import Augmentation, Geometry
from replay.augmentation.pillow_resize import resized_square
from replay.augmentation.rotation import resized_crop
from replay.augmentation.rotation_grid import MAX_DEGREES
from replay.image_regions.frames import DecodedFrame, Frame
from replay.settings import Arithmetic

SIDE = 224

Pixels = npt.NDArray[np.uint8]
"""uint8, (H, W, 3) RGB, or (H, W) where an unaugmented image is grey."""

_JPEG_MODES = frozenset({"L", "RGB"})


class CropOutsideError(SourceError):
    """The logged crop does not lie inside the source image."""


class UnusableParametersError(SourceError):
    """The logged parameters cannot be those of this image."""


def augment(
    source: Image.Image | Frame,
    augmentation: Augmentation,
    side: int = SIDE,
    arithmetic: Arithmetic = Arithmetic.AVX2,
) -> Pixels:
    """Re-apply the logged parameters to a cached image.

    Args:
        source: the cached image, as `data.sources.cached_image.cached_image` gives it, or one that
            is decoded no further than is needed.
        augmentation: the logged parameters.
        side: pixels of a side of the result. Miners saw 224; another side shows the same part of
            the scene, rotated alike, in other detail. It leaves an unaugmented image as it is.
        arithmetic: by which a frame is rotated.

    Returns:
        The pixels just before the final JPEG encoding, side x side x 3 unless nothing was applied.

    Raises:
        CropOutsideError: the crop does not lie inside the image.
        UnusableParametersError: a parameter is missing, or the letterbox is not 224 x 224.
        SourceError: the source cannot be decoded.
    """
    frame = DecodedFrame(source) if isinstance(source, Image.Image) else source
    if augmentation.geometry is Geometry.NONE:
        return _unaugmented(frame.whole())
    if augmentation.geometry is Geometry.LETTERBOX:
        return _letterboxed(frame.whole().convert("RGB"), augmentation, side, arithmetic)
    if augmentation.aug_level == 0:
        return _centre(frame, side)
    angle, box = _angle(augmentation), _crop(frame, augmentation)
    return _flip(resized_crop(frame, angle, box, side, arithmetic), augmentation)


def is_rotated(augmentation: Augmentation) -> bool:
    """Whether a frame is rotated, so that the validator's processor has a part in its pixels."""
    return augmentation.geometry is not Geometry.NONE and augmentation.aug_level != 0


def _unaugmented(image: Image.Image) -> Pixels:
    """Level -1 and E10: as cached, at source size, without RGB conversion."""
    if image.mode not in _JPEG_MODES:
        raise UnusableParametersError(
            "unaugmented image", found=f"mode {image.mode}", expected="one that JPEG holds (L, RGB)"
        )
    return np.asarray(image)


def _centre(frame: Frame, side: int) -> Pixels:
    """CenterCrop to the shorter side, then Resize of the PIL image, which uses Pillow's filter."""
    shorter = min(frame.size)
    left, top = (round((length - shorter) / 2.0) for length in frame.size)
    return resized_square(frame, (left, top, left + shorter, top + shorter), side)


def _letterboxed(
    image: Image.Image, augmentation: Augmentation, side: int, arithmetic: Arithmetic
) -> Pixels:
    """E9: resized and padded, then from level 1 on rotated together with its padding."""
    padded = _letterbox(image, augmentation, side)
    if augmentation.aug_level == 0:
        return np.asarray(padded)
    box = (0, 0, side, side)  # a side that stays as long keeps its values to the bit
    rotated = resized_crop(DecodedFrame(padded), _angle(augmentation), box, side, arithmetic)
    return _flip(rotated, augmentation)


def _letterbox(image: Image.Image, augmentation: Augmentation, side: int) -> Image.Image:
    """The logged size and padding; at another side, the logged edges scaled and rounded."""
    height, width = augmentation.letterbox_height, augmentation.letterbox_width
    padding = augmentation.letterbox_padding
    if not height or not width or not padding:
        raise UnusableParametersError("letterbox", found="no size", expected="new_size and padding")
    left, top, right, bottom = padding
    if (left + width + right, top + height + bottom) != (SIDE, SIDE):
        raise UnusableParametersError(
            "letterbox",
            found=f"size {height} x {width} and padding {list(padding)}",
            expected=f"{SIDE} x {SIDE} in all",
        )
    (left, width), (top, height) = _scaled(left, width, side), _scaled(top, height, side)
    padded = Image.new("RGB", (side, side))
    padded.paste(image.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return padded


def _scaled(start: int, length: int, side: int) -> tuple[int, int]:
    """An interval of a side of 224 pixels, scaled to another side: at least one pixel long.

    Both ends are scaled and rounded rather than lengths, so that padding and image fill the side.
    """
    first, last = (round(end * side / SIDE) for end in (start, start + length))
    first = min(first, side - 1)
    return first, max(1, last - first)


def _angle(augmentation: Augmentation) -> float:
    if augmentation.angle is None:
        raise UnusableParametersError("rotation", found="no angle", expected="degrees")
    if not abs(augmentation.angle) <= MAX_DEGREES:  # nor a NaN
        raise UnusableParametersError(
            "rotation",
            found=f"{augmentation.angle} degrees",
            expected=f"at most {MAX_DEGREES:g} either way",
        )
    return augmentation.angle


def _crop(frame: Frame, augmentation: Augmentation) -> tuple[int, int, int, int]:
    top, left = augmentation.crop_top, augmentation.crop_left
    height, width = augmentation.crop_height, augmentation.crop_width
    if top is None or left is None or not height or not width:
        raise UnusableParametersError("crop", found="no crop", expected="top, left, height, width")
    frame_width, frame_height = frame.size
    if top + height > frame_height or left + width > frame_width:
        raise CropOutsideError(
            "crop",
            found=f"{width} x {height} at ({left}, {top})",
            expected=f"one inside {frame_width} x {frame_height}",
        )
    return top, left, height, width


def _flip(pixels: Pixels, augmentation: Augmentation) -> Pixels:
    if augmentation.flip_horizontal:
        pixels = pixels[:, ::-1]
    if augmentation.flip_vertical:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
