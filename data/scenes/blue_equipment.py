"""Draw a work zone's equipment in blue: other colours and other shapes than the usual ones.

A model that learnt works by orange cones and drums alone does not know these.
"""

import numpy as np

from data.scenes.canvas import Colour, Plane
from data.scenes.equipment import Equipment

_BLUE: Colour = (18, 92, 204)
_DEEP: Colour = (14, 56, 128)
_WHITE: Colour = (236, 240, 244)
_GREY: Colour = (122, 130, 138)


def panel(plane: Plane, *, height: float, bands: int) -> None:
    """Draw a flat guide panel on a foot, where a cone would stand."""
    plane.rect(-0.22, 0.0, 0.22, 0.07, _GREY)
    plane.rect(-0.13, 0.05, 0.13, height, _BLUE, reflectance=1.8)
    for low in np.linspace(0.3, 0.8, bands + 1).tolist():
        plane.rect(-0.13, low * height, 0.13, (low + 0.1) * height, _WHITE, reflectance=3.0)


def tub(plane: Plane) -> None:
    """Draw a low, broad tub filled with water, where a drum would stand."""
    plane.poly([(-0.62, 0.0), (0.62, 0.0), (0.5, 0.62), (-0.5, 0.62)], _BLUE, reflectance=1.8)
    plane.poly([(-0.3, 0.0), (0.0, 0.0), (0.3, 0.62), (0.0, 0.62)], _WHITE, reflectance=2.5)


def trestle(plane: Plane, *, stripe: Colour, boards: int, lean: int) -> None:
    """Draw a trestle with one board, striped upright, whatever the stripe of a usual barricade."""
    for x in (-1.0, 1.0):
        plane.poly([(x - 0.3, 0.0), (x - 0.2, 0.0), (x, 0.9), (x - 0.06, 0.9)], _GREY)
        plane.poly([(x + 0.3, 0.0), (x + 0.2, 0.0), (x, 0.9), (x + 0.06, 0.9)], _GREY)
    plane.rect(-1.3, 0.7, 1.3, 1.05, _WHITE, reflectance=1.8)
    for left in np.arange(-1.3, 1.2, 0.52).tolist():
        plane.rect(left, 0.7, left + 0.26, 1.05, _BLUE, reflectance=1.5)


def block(plane: Plane, *, colour: Colour) -> None:
    """Draw a low concrete block with a blue stripe, where a plastic barrier would stand."""
    plane.poly([(-0.5, 0.0), (0.5, 0.0), (0.4, 0.55), (-0.4, 0.55)], (168, 172, 172))
    plane.rect(-0.43, 0.3, 0.43, 0.48, _BLUE, reflectance=1.3)


def hoarding(plane: Plane, *, width: float) -> None:
    """Draw a panel of solid blue hoarding, to the right of the foot."""
    plane.rect(0.0, 0.05, width, 2.1, _DEEP)
    plane.rect(0.06, 0.15, width - 0.06, 1.7, _BLUE)
    plane.rect(0.0, 1.78, width, 1.98, _WHITE, reflectance=1.5)


def cover(plane: Plane) -> None:
    """Draw a blue cover over a trench, flattened as the ground is."""
    flat = 2.7 / (plane.z + 1.9)
    plane.poly([(-1.4, 0.0), (1.4, 0.0), (1.34, flat), (-1.34, flat)], _DEEP)
    plane.poly([(-1.2, flat * 0.2), (1.2, flat * 0.2), (1.15, flat * 0.8), (-1.15, flat * 0.8)],
               _BLUE)  # fmt: skip


def disc_sign(plane: Plane) -> None:
    """Draw a round blue sign with a white figure, where the orange diamond would stand."""
    plane.rect(-0.06, 0.0, 0.06, 1.2, _GREY)
    plane.disc(0.0, 1.75, 0.66, _WHITE)
    plane.disc(0.0, 1.75, 0.58, _BLUE)
    plane.poly([(-0.3, 1.45), (0.3, 1.45), (0.0, 2.1)], _WHITE, reflectance=2.0)


def covered_heap(plane: Plane) -> None:
    """Draw a heap under a blue sheet."""
    shape = [(-2.0, 0.0), (-1.2, 0.8), (-0.2, 1.15), (0.7, 1.0), (1.4, 0.6), (2.0, 0.0)]
    plane.poly(shape, _DEEP)
    plane.poly([(-1.5, 0.1), (-0.3, 0.9), (0.8, 0.8), (1.4, 0.1)], _BLUE)


def loader(plane: Plane, *, side: int) -> None:
    """Draw a blue wheel loader, its bucket down on the road's side, away from `side`."""
    for x in (-1.0, 0.9):
        plane.disc(x, 0.7, 0.7, (30, 32, 34))
    plane.rect(-1.6, 0.8, 1.5, 1.9, _BLUE)
    plane.rect(-0.5, 1.9, 0.8, 3.0, _DEEP)
    plane.rect(-0.35, 2.05, 0.65, 2.85, (150, 172, 186))
    reach = -1.6 * side
    plane.poly([(reach, 1.2), (reach, 1.6), (1.9 * reach, 0.7), (1.9 * reach, 0.4)], _DEEP)
    plane.poly([(1.7 * reach, 0.0), (2.3 * reach, 0.1), (2.1 * reach, 1.0), (1.8 * reach, 0.9)],
               _GREY)  # fmt: skip


def lorry(plane: Plane) -> None:
    """Draw a blue lorry with a white board across its tail."""
    plane.rect(-1.1, 0.0, 1.1, 0.45, (24, 24, 26))
    plane.rect(-1.15, 0.45, 1.15, 2.6, _DEEP)
    plane.rect(-1.0, 1.2, 1.0, 2.2, _WHITE, reflectance=1.5)
    for left in (-0.9, -0.1, 0.7):
        plane.rect(left, 1.2, left + 0.28, 2.2, _BLUE, reflectance=1.3)
    for x in (-0.9, 0.9):
        plane.lamp(x, 2.8, 0.1, (120, 200, 255))


BLUE = Equipment(
    cone=panel,
    drum=tub,
    barricade=trestle,
    barrier=block,
    fence=hoarding,
    plate=cover,
    sign=disc_sign,
    dirt=covered_heap,
    excavator=loader,
    truck=lorry,
)
"""What stands in cities that look different."""
