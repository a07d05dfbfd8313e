"""Objects of any road: cars, houses, trees, signs. Some are orange, none is roadwork.

Every function draws one object on a vertical `Plane`, from its foot; sizes are metres.
"""

import numpy as np

from data.scenes.canvas import Colour, Plane

Rng = np.random.Generator

ORANGE: Colour = (240, 105, 20)
AUTUMN: tuple[Colour, ...] = ((214, 108, 24), (226, 128, 30), (196, 84, 28), (222, 150, 44))
GREENS: tuple[Colour, ...] = ((52, 92, 44), (70, 110, 50), (40, 78, 46), (92, 118, 58))
_PAINTS: tuple[Colour, ...] = (
    (232, 233, 235), (30, 31, 34), (130, 134, 138), (178, 182, 186),
    (140, 26, 30), (34, 58, 120), (58, 70, 62), (96, 82, 66),
)  # fmt: skip
_WALLS: tuple[Colour, ...] = (
    (150, 148, 142), (176, 164, 146), (122, 110, 104), (98, 106, 118), (190, 186, 176),
    (136, 92, 78),
)  # fmt: skip
_GLASS: Colour = (54, 64, 78)
_LIT: Colour = (255, 222, 150)


def chance(rng: Rng, share: float) -> bool:
    """True with probability `share` (0..1)."""
    return bool(rng.random() < share)


def pick(rng: Rng, colours: tuple[Colour, ...]) -> Colour:
    """A random one of `colours`, a little lighter or darker."""
    base = colours[int(rng.integers(len(colours)))]
    gain = float(rng.uniform(0.85, 1.12))
    return shaded(base, gain)


def shaded(colour: Colour, gain: float) -> Colour:
    """`colour` times `gain`, kept within 0..255."""
    red, green, blue = (min(255, round(value * gain)) for value in colour)
    return red, green, blue


def paint(rng: Rng, *, orange: bool) -> Colour:
    """A random colour of a car, orange or not."""
    return pick(rng, (ORANGE, (226, 120, 26)) if orange else _PAINTS)


def car(plane: Plane, rng: Rng, colour: Colour, *, oncoming: bool, braking: bool) -> None:
    """Draw a car, seen from behind or, `oncoming`, from the front."""
    width, height = float(rng.uniform(0.86, 0.98)), float(rng.uniform(1.4, 1.75))
    waist = 0.58 * height
    plane.rect(-width, 0.0, width, 0.22, (24, 24, 26))
    for side in (-1, 1):
        plane.rect(side * width * 0.8 - 0.13, 0.0, side * width * 0.8 + 0.13, 0.4, (18, 18, 20))
    plane.rect(-width, 0.24, width, waist, colour)
    plane.poly(
        [(-width, waist), (width, waist), (width * 0.76, height), (-width * 0.76, height)],
        shaded(colour, 0.9),
    )
    plane.poly(
        [(-width * 0.82, waist), (width * 0.82, waist), (width * 0.66, height * 0.94),
         (-width * 0.66, height * 0.94)],
        _GLASS,
    )  # fmt: skip
    plane.rect(-0.26, 0.36, 0.26, 0.5, (214, 216, 214))
    for side in (-1, 1):
        if oncoming:
            plane.lamp(side * width * 0.78, 0.62, 0.11, (255, 250, 226))
        elif braking:
            plane.lamp(side * width * 0.84, 0.8, 0.13, (255, 62, 26))
        else:
            plane.rect(
                side * width * 0.84 - 0.1, 0.68, side * width * 0.84 + 0.1, 0.9, (128, 18, 20)
            )


def van(plane: Plane, colour: Colour) -> None:
    """Draw a delivery van or box truck from behind."""
    plane.rect(-1.05, 0.0, 1.05, 0.4, (22, 22, 24))
    plane.rect(-1.1, 0.4, 1.1, 2.9, colour)
    plane.rect(-0.03, 0.5, 0.03, 2.8, shaded(colour, 0.7))
    for side in (-1, 1):
        plane.rect(side * 0.55 - 0.34, 1.7, side * 0.55 + 0.34, 2.4, _GLASS)
        plane.rect(side * 0.95 - 0.1, 0.5, side * 0.95 + 0.1, 0.9, (150, 20, 20))


def tree(plane: Plane, rng: Rng, leaves: Colour, height: float) -> None:
    """Draw a broad tree, `height` metres tall."""
    plane.rect(-0.03 * height, 0.0, 0.03 * height, height * 0.5, (70, 54, 42))
    for _ in range(9):
        x, y = rng.normal(0.0, 0.16) * height, height * rng.uniform(0.45, 0.86)
        tone = shaded(leaves, float(rng.uniform(0.75, 1.15)))
        plane.disc(float(x), float(y), height * float(rng.uniform(0.11, 0.2)), tone)


def conifer(plane: Plane, leaves: Colour, height: float) -> None:
    """Draw a fir, `height` metres tall."""
    plane.rect(-0.15, 0.0, 0.15, 0.2 * height, (66, 52, 42))
    for step in range(3):
        low, width = height * (0.12 + 0.25 * step), height * (0.22 - 0.055 * step)
        tip = low + height * 0.38
        plane.poly([(-width, low), (width, low), (0.0, tip)], shaded(leaves, 0.8 + 0.1 * step))


def building(plane: Plane, rng: Rng, width: float, height: float, *, night: bool) -> None:
    """Draw a city block's face, `width` x `height` metres, standing to the right of the foot."""
    wall = pick(rng, _WALLS)
    plane.rect(0.0, 0.0, width, height, wall)
    plane.rect(0.0, height - 0.5, width, height, shaded(wall, 0.7))
    columns, floors = max(2, int(width / 3.0)), min(10, max(1, int((height - 4.0) / 3.2)))
    lit = rng.random((floors, columns)) < (0.35 if night else 0.0)
    pitch = width / columns
    for floor in range(floors):
        for column in range(columns):
            x, y = (column + 0.2) * pitch, 4.4 + 3.2 * floor
            glass = _LIT if lit[floor, column] else _GLASS
            reflectance = 40.0 if lit[floor, column] else 1.0
            plane.rect(x, y, x + 0.6 * pitch, y + 1.7, glass, reflectance=reflectance)
    plane.rect(0.6, 0.0, width - 0.6, 2.9, shaded(_GLASS, 0.8))


def awning(plane: Plane, colour: Colour, width: float) -> None:
    """Draw a shop's awning of one colour, 3 to 4 m above the foot and to its right."""
    plane.poly([(0.2, 4.2), (width - 0.2, 4.2), (width, 2.8), (0.0, 2.8)], colour)
    plane.rect(0.0, 2.5, width, 2.8, shaded(colour, 0.8))


def house(plane: Plane, rng: Rng, roof: Colour) -> None:
    """Draw a family house, centred on the foot."""
    wall = pick(rng, ((206, 200, 186), (168, 176, 182), (186, 162, 136), (146, 158, 140)))
    plane.rect(-5.0, 0.0, 5.0, 3.2, wall)
    plane.poly([(-5.6, 3.2), (5.6, 3.2), (3.4, 5.8), (-3.4, 5.8)], roof)
    plane.rect(-0.6, 0.0, 0.5, 2.2, (92, 62, 48))
    for x in (-3.6, 2.2):
        plane.rect(x, 1.0, x + 1.5, 2.3, _GLASS)


def picket_fence(plane: Plane, width: float) -> None:
    """Draw a garden's wooden fence, low and brown, unlike a site's."""
    plane.rect(0.0, 0.1, width, 1.2, (128, 104, 80))
    for post in np.arange(0.0, width, 0.5).tolist():
        plane.rect(post, 0.1, post + 0.06, 1.3, (96, 76, 58))


def street_lamp(plane: Plane, reach: float, *, lit: bool) -> None:
    """Draw a lamp post; `reach` metres (signed) is how far its arm hangs over the road."""
    plane.rect(-0.09, 0.0, 0.09, 8.4, (98, 100, 104))
    plane.rect(min(0.0, reach), 8.3, max(0.0, reach), 8.45, (98, 100, 104))
    if lit:
        plane.lamp(reach, 8.25, 0.22, (255, 214, 150))


def signal(plane: Plane, reach: float, phase: int) -> None:
    """Draw a traffic light on an arm of `reach` metres (signed); `phase` 0 is red, 2 green."""
    plane.rect(-0.1, 0.0, 0.1, 6.0, (70, 72, 74))
    plane.rect(min(0.0, reach), 5.9, max(0.0, reach), 6.05, (70, 72, 74))
    plane.rect(reach - 0.24, 4.7, reach + 0.24, 6.0, (226, 176, 30))
    plane.rect(reach - 0.18, 4.8, reach + 0.18, 5.9, (24, 24, 24))
    lamps: tuple[Colour, ...] = ((255, 44, 30), (255, 150, 20), (60, 240, 120))
    plane.lamp(reach, 5.7 - 0.36 * phase, 0.16, lamps[phase])


def billboard(plane: Plane, board: Colour, width: float) -> None:
    """Draw an advertisement on two legs, centred on the foot."""
    for side in (-1, 1):
        plane.rect(side * width * 0.3 - 0.12, 0.0, side * width * 0.3 + 0.12, 3.0, (84, 86, 90))
    plane.rect(-width / 2, 2.8, width / 2, 2.8 + width * 0.5, (230, 230, 228))
    plane.rect(-width * 0.48, 2.9, width * 0.48, 2.7 + width * 0.5, board)
    plane.rect(-width * 0.36, 2.8 + width * 0.3, width * 0.2, 2.8 + width * 0.4, (246, 246, 240))
    plane.rect(-width * 0.36, 2.8 + width * 0.14, width * 0.36, 2.8 + width * 0.2, (246, 246, 240))


def guide_sign(plane: Plane) -> None:
    """Draw a green motorway sign over the road, centred on the foot."""
    for x in (-5.5, 5.5):
        plane.rect(x - 0.15, 0.0, x + 0.15, 7.6, (128, 130, 134))
    plane.rect(-5.5, 7.2, 5.5, 7.4, (128, 130, 134))
    plane.rect(-3.2, 5.4, 3.2, 8.0, (240, 242, 240))
    plane.rect(-3.1, 5.5, 3.1, 7.9, (20, 104, 66))
    plane.rect(-2.4, 6.9, 1.4, 7.3, (240, 242, 240))
    plane.rect(-2.4, 6.1, 2.2, 6.5, (240, 242, 240))


def yellow_sign(plane: Plane) -> None:
    """Draw a permanent warning sign (a curve, a crossing): yellow, unlike those of roadwork."""
    plane.rect(-0.05, 0.0, 0.05, 1.8, (120, 122, 124))
    plane.poly([(-0.62, 2.3), (0.0, 1.68), (0.62, 2.3), (0.0, 2.92)], (24, 24, 20))
    plane.poly(
        [(-0.55, 2.3), (0.0, 1.75), (0.55, 2.3), (0.0, 2.85)], (242, 204, 24), reflectance=2.0
    )
    plane.rect(-0.06, 2.05, 0.06, 2.55, (24, 24, 20))


def speed_sign(plane: Plane) -> None:
    """Draw a white speed limit sign."""
    plane.rect(-0.05, 0.0, 0.05, 1.8, (120, 122, 124))
    plane.rect(-0.38, 1.7, 0.38, 2.7, (238, 238, 236), reflectance=2.0)
    plane.rect(-0.2, 1.85, 0.2, 2.25, (28, 28, 28))
