"""Augmentation parameters as a validator draws and logs them: level, rotation, crop, letterbox.

See DOMAIN.md §2.
"""

import math
from typing import Any

import numpy as np

from data.records.augmentation import LEVELS

Size = tuple[int, int]

TARGET = 224
_MAX_ANGLE = 20.0
_CROP_AREA = (0.2, 1.0)
_CROP_ATTEMPTS = 10


def augmentation(
    size: Size, *, letterbox: bool, generator: np.random.Generator
) -> tuple[int, dict[str, Any]]:
    """Draw `data_aug_level` (0..3, equally likely) and `data_aug_params` for one image.

    Args:
        size: width and height of the cached image, pixels.
        letterbox: era E9 (every level is letterboxed, none is cropped), else the crop eras.
        generator: where the randomness comes from.
    """
    level = int(generator.integers(LEVELS))
    return level, augmentation_params(size, level, letterbox=letterbox, generator=generator)


def augmentation_params(
    size: Size, level: int, *, letterbox: bool, generator: np.random.Generator
) -> dict[str, Any]:
    """Draw `data_aug_params` for one image at a level, 0..3; arguments as for `augmentation`."""
    params: dict[str, Any] = {"ResizeWithPadding": letterbox_params(size)} if letterbox else {}
    if level == 0:
        return params
    # torch draws the angle in float32; the log holds that value
    angle = float(np.float32(generator.uniform(-_MAX_ANGLE, _MAX_ANGLE)))
    params["RandomRotationWithParams"] = {"angle": angle}
    if not letterbox:
        crop = square_crop(size, generator)
        params["RandomResizedCropWithParams"] = {"crop_params": crop}
    # drawn but never logged, nor applied: a bug of the validator
    params["RandomHorizontalFlipWithParams"] = {}
    params["RandomVerticalFlipWithParams"] = {}
    return params


def square_crop(size: Size, generator: np.random.Generator) -> list[int]:
    """[top, left, height, width], pixels: a square of 0.2..1 of the image's area inside the image.

    As torchvision's `RandomResizedCrop.get_params` with ratio 1: squares too large are drawn again,
    ten times at most; then the largest centred one.
    """
    width, height = size
    for _ in range(_CROP_ATTEMPTS):
        side = round(math.sqrt(width * height * generator.uniform(*_CROP_AREA)))
        if 0 < side <= min(width, height):
            top = int(generator.integers(height - side + 1))
            left = int(generator.integers(width - side + 1))
            return [top, left, side, side]
    side = min(width, height)
    return [(height - side) // 2, (width - side) // 2, side, side]


def letterbox_params(size: Size) -> dict[str, Any]:
    """Scale, new size [height, width] and padding [left, top, right, bottom] of era E9, pixels."""
    width, height = size
    scale = min(TARGET / width, TARGET / height)
    new_height, new_width = int(height * scale), int(width * scale)
    left, top = (TARGET - new_width) // 2, (TARGET - new_height) // 2
    padding = [left, top, TARGET - new_width - left, TARGET - new_height - top]
    return {"scale": scale, "new_size": [new_height, new_width], "padding": padding}
