"""A validator's augmentation, re-applied: cached image and logged parameters to the pixels sent.

The validator runs torchvision's functions one after another on whole frames (DOMAIN.md §2). This
module gives the same bytes from the crop's own pixels alone; tests hold the two together. Levels 2
and 3 add distortions that the log does not hold; what this module gives is the image before them.
"""

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from data.errors import SourceError
from data.records import Augmentation, Geometry
from replay.rotation import rotated

SIDE = 224

Pixels = npt.NDArray[np.uint8]
"""uint8, (H, W, 3) RGB, or (H, W) where an unaugmented image is grey."""

_JPEG_MODES = frozenset({"L", "RGB"})


class CropOutsideError(SourceError):
    """The logged crop does not lie inside the source image."""


class UnusableParametersError(SourceError):
    """The logged parameters cannot be those of this image."""


def augment(image: Image.Image, augmentation: Augmentation) -> Pixels:
    """Re-apply the logged parameters to a cached image.

    Args:
        image: the cached image, as `data.sources.cached_image` gives it.
        augmentation: the logged parameters.

    Returns:
        The pixels just before the final JPEG encoding, 224 x 224 x 3 unless nothing was applied.

    Raises:
        CropOutsideError: the crop does not lie inside the image.
        UnusableParametersError: a parameter is missing, or the letterbox is not 224 x 224.
    """
    if augmentation.geometry is Geometry.NONE:
        return _unaugmented(image)
    image = image.convert("RGB")
    if augmentation.geometry is Geometry.LETTERBOX:
        image = _letterbox(image, augmentation)
    if augmentation.aug_level == 0:
        return _centre(image) if augmentation.geometry is Geometry.CROP else np.asarray(image)
    if augmentation.angle is None:
        raise UnusableParametersError("rotation", found="no angle", expected="degrees")
    box = _crop(image, augmentation) if augmentation.geometry is Geometry.CROP else None
    pixels = rotated(np.asarray(image), augmentation.angle, box)
    return _flip(pixels if box is None else _resized(pixels), augmentation)


def _unaugmented(image: Image.Image) -> Pixels:
    """Level -1 and E10: as cached, at source size, without RGB conversion."""
    if image.mode not in _JPEG_MODES:
        raise UnusableParametersError(
            "unaugmented image", found=f"mode {image.mode}", expected="one that JPEG holds (L, RGB)"
        )
    return np.asarray(image)


def _centre(image: Image.Image) -> Pixels:
    """CenterCrop to the shorter side, then Resize of the PIL image: Pillow's filter it is."""
    side = min(image.size)
    left, top = (round((length - side) / 2.0) for length in image.size)
    centre = image.crop((left, top, left + side, top + side))
    return np.asarray(centre.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _letterbox(image: Image.Image, augmentation: Augmentation) -> Image.Image:
    height, width = augmentation.letterbox_height, augmentation.letterbox_width
    padding = augmentation.letterbox_padding
    if not height or not width or not padding:
        raise UnusableParametersError("letterbox", found="no size", expected="new_size and padding")
    left, top, right, bottom = padding
    if (left + width + right, top + height + bottom) != (SIDE, SIDE):
        found = f"size {height} x {width} and padding {list(padding)}"
        raise UnusableParametersError("letterbox", found=found, expected=f"{SIDE} x {SIDE} in all")
    padded = Image.new("RGB", (SIDE, SIDE))
    padded.paste(image.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return padded


def _crop(image: Image.Image, augmentation: Augmentation) -> tuple[int, int, int, int]:
    top, left = augmentation.crop_top, augmentation.crop_left
    height, width = augmentation.crop_height, augmentation.crop_width
    if top is None or left is None or not height or not width:
        raise UnusableParametersError("crop", found="no crop", expected="top, left, height, width")
    if top + height > image.height or left + width > image.width:
        raise CropOutsideError(
            "crop",
            found=f"{width} x {height} at ({left}, {top})",
            expected=f"one inside {image.width} x {image.height}",
        )
    return top, left, height, width


def _resized(crop: Pixels) -> Pixels:
    """ToTensor, Resize with antialiasing, ToPILImage (times 255, truncated)."""
    tensor = torch.from_numpy(crop).permute(2, 0, 1).contiguous().to(torch.float32).div_(255)
    small = torch.nn.functional.interpolate(
        tensor[None], (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True
    )
    return small[0].mul_(255).byte().permute(1, 2, 0).contiguous().numpy()


def _flip(pixels: Pixels, augmentation: Augmentation) -> Pixels:
    if augmentation.flip_horizontal:
        pixels = pixels[:, ::-1]
    if augmentation.flip_vertical:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
