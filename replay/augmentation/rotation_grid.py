"""The sampling grid of torchvision's rotation, equal to the bit, for any part of a frame.

`torchvision.transforms.functional.rotate` multiplies a list of all pixel positions by a matrix
(`_gen_affine_grid`, a bmm) and hands the float32 grid to `grid_sample`, which rounds to the nearest
source pixel. A position next to the middle between two pixels falls to one or the other with the
last bit of that arithmetic, so the same operations are done here in the same order and precision;
but a product that is the same for a full row or column is computed once.

Whether the second product is rounded before it is added is up to the validator's processor
(DOMAIN.md §2, `replay.settings.Arithmetic`). Nothing here asks this machine's.
"""

import math
from decimal import Context, Decimal, localcontext
from functools import lru_cache

import numpy as np

from replay.augmentation.crop_kernel import Floats, SamplingGrid
from replay.settings import Arithmetic

MAX_DEGREES = 360.0
"""Largest rotation in either direction: the series of sine and cosine serve one full turn."""

_DIGITS = 60


def frame_grid(angle: float, height: int, width: int, arithmetic: Arithmetic) -> SamplingGrid:
    """The sampling grid of a full frame rotated counter-clockwise by `angle` degrees."""
    matrix = _scaled_inverse(angle, height, width)
    x, y = _centred(width), _centred(height)
    columns = matrix[:, 0, None] * x
    if arithmetic is Arithmetic.AVX512:
        return SamplingGrid(columns, np.tile(y, (2, 1)), matrix[:, 1].copy())
    # a product with 1 is exact: fused or not, the sum is of two rounded products
    return SamplingGrid(columns, matrix[:, 1, None] * y, np.ones(2, np.float32))


def _centred(length: int) -> Floats:
    """Positions of pixels relative to the middle of a side; multiples of 1/2, so exact.

    `_gen_affine_grid` makes them by `torch.linspace`, with a step of exactly 1.
    """
    return np.arange(length, dtype=np.float32) - np.float32((length - 1) / 2)


def _scaled_inverse(angle: float, height: int, width: int) -> Floats:
    """`_get_inverse_affine_matrix` for -angle about the origin, over half the sides: (2, 2).

    Row 0 gives x of (x, y), row 1 gives y.
    """
    cosine, sine = cosine_and_sine(math.radians(-angle))
    inverse: Floats = np.array([[cosine, sine], [-sine, cosine]], np.float32)
    halves: Floats = np.array([[0.5 * width], [0.5 * height]], np.float32)
    return inverse / halves


@lru_cache(maxsize=64)
def cosine_and_sine(radians: float) -> tuple[float, float]:
    """Cosine and sine of an angle, each correctly rounded: free of any C library's last bit.

    The validator's are its C library's. Those lie within one bit of these, and both are rounded to
    float32 next: one angle in some hundred million could tell them apart.
    """
    with localcontext(Context(prec=_DIGITS)):
        angle = Decimal(radians)
        sums = [Decimal(1), angle]
        term, power = angle, 1
        while abs(term) > Decimal(10) ** -_DIGITS:
            power += 1
            term = term * angle / power
            # the signs of 1, x, x^2 / 2!, x^3 / 3!, ... change after every two
            sums[power % 2] += term if power % 4 < 2 else -term  # noqa: PLR2004
        return float(sums[0]), float(sums[1])
