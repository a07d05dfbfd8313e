"""The five distortions of levels 2 and 3, as the validator applies them to a 224 x 224 image.

Each takes and gives uint8 BGR pixels (H, W, 3), OpenCV's order. Between steps the validator goes
through float and back, which is the identity on all 256 values, so uint8 it stays. The functions
follow DeeperForensics' `distortions.py`, which the validator uses (DOMAIN.md §2), slips included:
colours are converted without dividing by 255, and one cast wraps instead of clipping.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Noise = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]

CHROMA_FACTORS: Mapping[int, float] = {1: 0.4, 2: 0.3}
CONTRAST_FACTORS: Mapping[int, float] = {1: 0.85, 2: 0.725}
SHRINK_FACTORS: Mapping[int, int] = {1: 2, 2: 3}
NOISE_VARIANCES: Mapping[int, float] = {1: 0.001, 2: 0.002}
BLUR_KERNELS: Mapping[int, int] = {1: 7, 2: 9}

# A float image in 0..1 would have luma in 16..235 and chroma in 16..240, over 255.
_FOOT, _LUMA, _CHROMA = 16, 219, 224


def saturation(pixels: Pixels, level: int) -> Pixels:
    """CS: chroma drawn towards grey by a factor; the last cast wraps around 256."""
    luma, *chroma = _to_ycbcr(pixels)
    greyer = [0.5 + (plane - 0.5) * CHROMA_FACTORS[level] for plane in chroma]
    # through int32, so that every processor wraps alike
    wrapped: Pixels = _to_bgr([luma, *greyer]).astype(np.int32).astype(np.uint8)
    return wrapped


def contrast(pixels: Pixels, level: int) -> Pixels:
    """CC: every value times a factor below 1, truncated."""
    values = np.arange(256, dtype=np.float32) * CONTRAST_FACTORS[level]
    return np.asarray(cv2.LUT(pixels, values.astype(np.uint8)), dtype=np.uint8)


def blocks(pixels: Pixels, level: int) -> Pixels:
    """JPEG by name, no codec: shrunk by a whole factor and enlarged again, both bilinear."""
    height, width = pixels.shape[:2]
    factor = SHRINK_FACTORS[level]
    small = cv2.resize(pixels, (width // factor, height // factor))
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.uint8)


def noise(pixels: Pixels, level: int, drawn: Noise) -> Pixels:
    """GNC: Gaussian noise on luma and chroma, clipped.

    Args:
        pixels: (H, W, 3).
        level: 1 or 2.
        drawn: standard normal values, (H, W, 3).
    """
    deviation = math.sqrt(NOISE_VARIANCES[level])
    noisy = [
        ((plane / 255 + deviation * drawn[:, :, place]) * 255).astype(np.float32)
        for place, plane in enumerate(_to_ycbcr(pixels))
    ]
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


def _to_ycbcr(pixels: Pixels) -> list[Plane]:
    """Y, Cb and Cr, each (H, W)."""
    converted = cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_BGR2YCrCb)
    luma, red, blue = (np.asarray(plane, np.float32) for plane in cv2.split(converted))
    return [(luma * _LUMA + _FOOT) / 255.0, *((c * _CHROMA + _FOOT) / 255.0 for c in (blue, red))]


def _to_bgr(planes: Sequence[Plane]) -> npt.NDArray[np.float32]:
    """The inverse, as (H, W, 3)."""
    luma, blue, red = planes
    scaled = [
        (luma * 255.0 - _FOOT) / _LUMA,
        *((chroma * 255.0 - _FOOT) / _CHROMA for chroma in (red, blue)),
    ]
    return np.asarray(cv2.cvtColor(cv2.merge(scaled), cv2.COLOR_YCrCb2BGR), dtype=np.float32)
