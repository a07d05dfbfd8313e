"""Draw the equipment of a work zone: cones, drums, boards, barriers, fences and machines.

Every drawing function draws one object on a vertical `Plane`, from its foot; sizes are metres.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from data.scenes.canvas import Colour, Drawing, Plane

CONE_ORANGE: Colour = (250, 96, 24)
WHITE: Colour = (238, 238, 234)
RED: Colour = (196, 30, 34)
_YELLOW: Colour = (236, 178, 24)
_DARK: Colour = (34, 34, 36)
_STEEL: Colour = (146, 150, 154)


def cone(plane: Plane, *, height: float, bands: int) -> None:
    """Draw a traffic cone with one or two white collars."""
    plane.rect(-0.26 * height, 0.0, 0.26 * height, 0.06 * height, (52, 46, 44))

    def girth(y: float) -> float:
        return 0.19 * height * (1.0 - 0.86 * y)

    def slice_(low: float, top: float, colour: Colour, reflectance: float) -> None:
        below, above = girth(low), girth(top)
        corners = [(-below, low * height), (below, low * height), (above, top * height)]
        plane.poly([*corners, (-above, top * height)], colour, reflectance=reflectance)

    slice_(0.05, 1.0, CONE_ORANGE, 1.8)
    for low in (0.58, 0.3)[:bands]:
        slice_(low, low + 0.18, WHITE, 3.5)


def drum(plane: Plane) -> None:
    """Draw a channelizing drum: orange with two white hoops."""
    plane.rect(-0.36, 0.0, 0.36, 0.1, _DARK)
    plane.poly(
        [(-0.31, 0.08), (0.31, 0.08), (0.26, 1.05), (-0.26, 1.05)], CONE_ORANGE, reflectance=1.8
    )
    for low in (0.3, 0.66):
        plane.rect(-0.29, low, 0.29, low + 0.17, WHITE, reflectance=3.5)
    plane.rect(-0.1, 1.05, 0.1, 1.12, _DARK)


def barricade(plane: Plane, *, stripe: Colour, boards: int, lean: int) -> None:
    """Draw a barricade: one to three boards with slanting stripes on two legs."""
    for x in (-0.95, 0.95):
        plane.rect(x - 0.05, 0.0, x + 0.05, 0.55 + 0.42 * boards, (196, 198, 198))
        plane.rect(x - 0.22, 0.0, x + 0.22, 0.07, _DARK)
    for board in range(boards):
        low = 0.45 + 0.42 * board
        plane.rect(-1.15, low, 1.15, low + 0.28, WHITE, reflectance=2.0)
        for left in np.arange(-1.05, 0.95, 0.46).tolist():
            slant = 0.2 * lean
            corners = [(left, low), (left + 0.23, low), (left + 0.23 + slant, low + 0.28)]
            plane.poly([*corners, (left + slant, low + 0.28)], stripe, reflectance=1.5)


def barrier(plane: Plane, *, colour: Colour) -> None:
    """Draw one water-filled plastic barrier, red or white in turn."""
    plane.poly([(-0.34, 0.0), (0.34, 0.0), (0.2, 1.0), (-0.2, 1.0)], colour, reflectance=1.3)
    plane.rect(-0.34, 0.0, 0.34, 0.16, (170, 168, 166) if colour == WHITE else (140, 22, 26))


def fence(plane: Plane, *, width: float) -> None:
    """Draw a panel of site fence, grey mesh on concrete feet, to the right of the foot."""
    for x in (0.0, width):
        plane.rect(x - 0.3, 0.0, x + 0.3, 0.16, (168, 166, 160))
    for y in np.linspace(0.2, 1.95, 7).tolist():
        plane.rect(0.0, y, width, y + 0.035, _STEEL)
    for x in np.linspace(0.0, width, 14).tolist():
        plane.rect(x - 0.016, 0.15, x + 0.016, 2.0, _STEEL)
    for x in (0.0, width):
        plane.rect(x - 0.04, 0.1, x + 0.04, 2.05, (196, 198, 200))


def plate(plane: Plane) -> None:
    """Draw a steel plate lying over a trench; its depth is flattened as the ground's is."""
    flat = 2.7 / (plane.z + 1.9)  # a 1.9 m deep sheet seen from about 1.4 m up
    shape = [(-1.3, 0.0), (1.3, 0.0), (1.24, flat), (-1.24, flat)]
    plane.poly(shape, (112, 92, 78))
    plane.poly([(-1.2, flat * 0.15), (1.2, flat * 0.15), (1.15, flat * 0.85), (-1.15, flat * 0.85)],
               (92, 90, 90))  # fmt: skip


def sign(plane: Plane) -> None:
    """Draw the orange diamond ROAD WORK AHEAD on its stand."""
    for foot in (-0.5, 0.5):
        plane.poly([(foot - 0.05, 0.0), (foot + 0.05, 0.0), (0.04, 0.9), (-0.04, 0.9)], _DARK)
    plane.poly([(-0.72, 1.4), (0.0, 0.68), (0.72, 1.4), (0.0, 2.12)], _DARK)
    plane.poly([(-0.65, 1.4), (0.0, 0.75), (0.65, 1.4), (0.0, 2.05)], CONE_ORANGE, reflectance=1.8)
    for low, half in ((1.56, 0.28), (1.34, 0.4), (1.12, 0.26)):
        plane.rect(-half, low, half, low + 0.13, _DARK)


def dirt(plane: Plane) -> None:
    """Draw a heap of soil."""
    shape = [(-2.0, 0.0), (-1.2, 0.7), (-0.3, 1.2), (0.4, 1.05), (1.2, 0.6), (2.0, 0.0)]
    plane.poly(shape, (112, 86, 62))
    plane.poly([(-1.5, 0.0), (-0.3, 0.8), (0.8, 0.0)], (134, 104, 76))


def excavator(plane: Plane, *, side: int) -> None:
    """Draw a yellow excavator; its arm reaches over the road, away from `side`."""
    plane.rect(-1.7, 0.0, 1.7, 0.75, _DARK)
    plane.rect(-1.5, 0.85, 1.5, 1.9, _YELLOW)
    cab = -0.9 * side
    plane.rect(cab - 0.55, 1.9, cab + 0.55, 3.0, _YELLOW)
    plane.rect(cab - 0.42, 2.0, cab + 0.42, 2.85, (58, 70, 82))
    elbow, tip = -2.4 * side, -3.7 * side
    plane.poly([(-1.2 * side, 1.6), (-1.2 * side, 2.1), (elbow, 4.5), (elbow, 3.9)], _YELLOW)
    plane.poly([(elbow, 3.9), (elbow, 4.5), (tip, 2.0), (tip + 0.35 * side, 1.8)], (206, 152, 20))
    plane.poly([(tip - 0.3, 1.2), (tip + 0.7, 1.2), (tip + 0.5, 2.0), (tip - 0.1, 2.0)], _DARK)


def truck(plane: Plane) -> None:
    """Draw a work truck with a lit arrow board and a striped tail."""
    plane.rect(-1.1, 0.0, 1.1, 0.45, (24, 24, 26))
    plane.rect(-1.15, 0.45, 1.15, 2.0, (228, 228, 224))
    for left in np.arange(-1.1, 1.0, 0.5).tolist():
        corners = [(left, 0.5), (left + 0.25, 0.5), (left + 0.1, 1.0), (left - 0.05, 1.0)]
        plane.poly(corners, RED, reflectance=1.6)
    plane.rect(-1.0, 2.2, 1.0, 3.3, _DARK)
    for x in np.linspace(-0.75, 0.75, 6).tolist():
        plane.lamp(x, 2.75, 0.07, (255, 176, 40))
    for x, y in ((-0.5, 3.0), (-0.5, 2.5), (-0.25, 3.12), (-0.25, 2.38)):
        plane.lamp(x, y, 0.07, (255, 176, 40))


class DrawCone(Protocol):
    """Draws a traffic cone, or what stands for it, so many metres high."""

    def __call__(self, plane: Plane, *, height: float, bands: int) -> None:
        """Draw it with so many bands."""


class DrawBarricade(Protocol):
    """Draws a barricade, or what stands for it."""

    def __call__(self, plane: Plane, *, stripe: Colour, boards: int, lean: int) -> None:
        """Draw it with so many boards, striped; stripes slant by `lean`, -1 or 1."""


class DrawBarrier(Protocol):
    """Draws one of a row of barriers."""

    def __call__(self, plane: Plane, *, colour: Colour) -> None:
        """Draw it in one of two colours that take turns."""


class DrawFence(Protocol):
    """Draws a panel of site fence, to the right of its foot."""

    def __call__(self, plane: Plane, *, width: float) -> None:
        """Draw it so many metres wide."""


class DrawExcavator(Protocol):
    """Draws an excavator."""

    def __call__(self, plane: Plane, *, side: int) -> None:
        """Draw it with its arm away from `side`, -1 or 1."""


@dataclass(frozen=True)
class Equipment:
    """How each kind of object of a work zone is drawn."""

    cone: DrawCone = cone
    drum: Drawing = drum
    barricade: DrawBarricade = barricade
    barrier: DrawBarrier = barrier
    fence: DrawFence = fence
    plate: Drawing = plate
    sign: Drawing = sign
    dirt: Drawing = dirt
    excavator: DrawExcavator = excavator
    truck: Drawing = truck


USUAL = Equipment()
"""What stands in all cities, unless settings say that some look different."""
