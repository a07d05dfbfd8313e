"""BGR to YCrCb and back in float32, as OpenCV converts them on processors with AVX2 and wider.

OpenCV fuses products there and not on older ones (`color_yuv.simd.hpp`), so that its own result
depends on the machine. These loops give the fused one everywhere.
"""

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled
from replay.augmentation.fused_multiply_add import fma

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

_MIDDLE = np.float32(0.5)
_LUMA_RED, _LUMA_GREEN, _LUMA_BLUE = np.float32(0.299), np.float32(0.587), np.float32(0.114)
_TO_CR, _TO_CB = np.float32(0.713), np.float32(0.564)
_CR_RED, _CB_BLUE = np.float32(1.403), np.float32(1.773)
_CR_GREEN, _CB_GREEN = np.float32(-0.714), np.float32(-0.344)


@compiled
def _to_ycrcb(pixels: Pixels, planes: Floats) -> None:
    luma, cr, cb = planes[0], planes[1], planes[2]
    for i in range(pixels.shape[0]):
        for j in range(pixels.shape[1]):
            blue = np.float32(pixels[i, j, 0])
            green = np.float32(pixels[i, j, 1])
            red = np.float32(pixels[i, j, 2])
            y = fma(blue, _LUMA_BLUE, fma(green, _LUMA_GREEN, red * _LUMA_RED))
            luma[i, j] = y
            cr[i, j] = fma(red - y, _TO_CR, _MIDDLE)
            cb[i, j] = fma(blue - y, _TO_CB, _MIDDLE)


@compiled
def _to_bgr(planes: Floats, colours: Floats) -> None:
    for i in range(colours.shape[0]):
        for j in range(colours.shape[1]):
            y, cr, cb = planes[0, i, j], planes[1, i, j] - _MIDDLE, planes[2, i, j] - _MIDDLE
            colours[i, j, 0] = fma(cb, _CB_BLUE, y)
            colours[i, j, 1] = fma(cr, _CR_GREEN, fma(cb, _CB_GREEN, y))
            colours[i, j, 2] = fma(cr, _CR_RED, y)


def to_ycrcb(pixels: Pixels) -> Floats:
    """BGR bytes, (H, W, 3), not divided by 255, to the planes of Y, Cr and Cb: (3, H, W)."""
    planes = np.empty((3, *pixels.shape[:2]), np.float32)
    _to_ycrcb(pixels, planes)
    return planes


def to_bgr(planes: Floats) -> Floats:
    """Planes of Y, Cr and Cb, (3, H, W), to BGR: (H, W, 3)."""
    colours = np.empty((*planes.shape[1:], 3), np.float32)
    _to_bgr(planes, colours)
    return colours
