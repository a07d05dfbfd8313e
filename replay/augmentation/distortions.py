"""The five distortions of levels 2 and 3, as the validator applies them to a 224 x 224 image.

Each maps uint8 BGR pixels (H, W, 3), OpenCV's order, to the same. Between steps the validator goes
through float and back, which is the identity on all 256 values, so uint8 it stays. The functions
follow DeeperForensics' `distortions.py`, which the validator uses (DOMAIN.md §2), slips included:
colours are converted without dividing by 255, and one cast wraps instead of clipping.
"""

import math
from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from replay.augmentation.colour_conversion import to_bgr, to_ycrcb

Pixels = npt.NDArray[np.uint8]
Noise = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

CHROMA_FACTORS: Mapping[int, float] = {1: 0.4, 2: 0.3}
CONTRAST_FACTORS: Mapping[int, float] = {1: 0.85, 2: 0.725}
SHRINK_FACTORS: Mapping[int, int] = {1: 2, 2: 3}
NOISE_VARIANCES: Mapping[int, float] = {1: 0.001, 2: 0.002}
BLUR_KERNELS: Mapping[int, int] = {1: 7, 2: 9}

# Studio range: luma of a float image in 0..1 is 16..235 and its chroma 16..240, over 255.
_OFFSET, _LUMA_RANGE, _CHROMA_RANGE = 16, 219, 224


def saturation(pixels: Pixels, level: int) -> Pixels:
    """CS: colour saturation, the chroma times a factor below 1; the last cast wraps around 256."""
    planes = _to_ycrcb(pixels)
    planes[1:] = 0.5 + (planes[1:] - 0.5) * CHROMA_FACTORS[level]
    # through int32, so that every processor wraps alike
    wrapped: Pixels = _to_bgr(planes).astype(np.int32).astype(np.uint8)
    return wrapped


def contrast(pixels: Pixels, level: int) -> Pixels:
    """CC: contrast, every value times a factor below 1, truncated."""
    values = np.arange(256, dtype=np.float32) * CONTRAST_FACTORS[level]
    return np.asarray(cv2.LUT(pixels, values.astype(np.uint8)), dtype=np.uint8)


def blocks(pixels: Pixels, level: int) -> Pixels:
    """JPEG in the validator's naming, but no codec: scaled down by an integer factor and up again.

    Bilinear both times, so that blocks of pixels blend into one another.
    """
    height, width = pixels.shape[:2]
    factor = SHRINK_FACTORS[level]
    small = cv2.resize(pixels, (width // factor, height // factor))
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.uint8)


def noise(pixels: Pixels, level: int, standard_normal: Noise) -> Pixels:
    """GNC: Gaussian noise on luma and chroma, clipped.

    Args:
        pixels: (H, W, 3).
        level: 1 or 2.
        standard_normal: random values of mean 0 and variance 1, (H, W, 3).
    """
    deviation = math.sqrt(NOISE_VARIANCES[level])
    # the validator's noise is in the order Y, Cb, Cr; these planes are Y, Cr, Cb
    in_order = standard_normal[:, :, [0, 2, 1]].transpose(2, 0, 1)
    noisy = ((_to_ycrcb(pixels) / 255 + deviation * in_order) * 255).astype(np.float32)
    clipped: Pixels = np.clip(_to_bgr(noisy), 0, 255).astype(np.uint8)
    return clipped


def blur(pixels: Pixels, level: int) -> Pixels:
    """GB: a Gaussian blur of kernel k and sigma k / 6."""
    kernel = BLUR_KERNELS[level]
    return np.asarray(cv2.GaussianBlur(pixels, (kernel, kernel), kernel / 6), dtype=np.uint8)


STEPS: tuple[tuple[str, Callable[[Pixels, int], Pixels]], ...] = (
    ("saturation", saturation),
    ("contrast", contrast),
    ("blocks", blocks),
)


def _to_ycrcb(pixels: Pixels) -> Planes:
    """The planes of Y, Cr and Cb, (3, H, W), in studio range as if the input were in 0..1."""
    planes = to_ycrcb(pixels)
    planes[0] = (planes[0] * _LUMA_RANGE + _OFFSET) / 255.0
    planes[1:] = (planes[1:] * _CHROMA_RANGE + _OFFSET) / 255.0
    return planes


def _to_bgr(planes: Planes) -> Planes:
    """The inverse: BGR pixels (H, W, 3)."""
    scaled = planes * np.float32(255) - _OFFSET
    scaled[0] /= _LUMA_RANGE
    scaled[1:] /= _CHROMA_RANGE
    return to_bgr(scaled)
