"""What stands and drives along a road, works apart: where, how much, and how much is orange."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from data.scenes import objects as things
from data.scenes.canvas import Colour, Plane
from data.scenes.objects import Rng, chance

Placed = tuple[float, float, Callable[[Plane], None]]  # x, z in metres, how to draw it

# The chance of each orange thing that is no roadwork; independent of the label, so that neither
# its presence nor its absence tells a model anything.
_ORANGE_TRAFFIC, _ORANGE_ROADSIDE, _AUTUMN = 0.05, 0.18, 0.16
_FAR_M = 110.0


@dataclass(frozen=True)
class Road:
    """The cross-section of a road in metres; the camera drives in the lane around x = 0."""

    left: float
    right: float
    lane: float
    oncoming_to: float  # lanes left of this x come towards the camera


def draw_road(rng: Rng, environment: str) -> Road:
    """A road as `environment` has it; the camera keeps to one of its lanes."""
    lane = float(rng.uniform(3.1, 3.7))
    ours, theirs = {"Highway": (3, 0), "Rural": (1, 1)}.get(
        environment, (2, int(rng.choice([1, 2])))
    )
    ours_left = int(rng.integers(ours)) if environment == "Highway" else ours - 1
    if environment != "Highway" and chance(rng, 0.6):
        ours_left = 0
    middle = -lane * (ours_left + 0.5)
    shoulder = 2.4 if environment == "Highway" else float(rng.uniform(0.3, 1.2))
    right = middle + ours * lane + shoulder
    return Road(middle - theirs * lane - min(shoulder, 1.0), right, lane, middle)


def roadside(rng: Rng, road: Road, environment: str, *, dark: bool) -> list[Placed]:
    """What lines the road: blocks, houses, trees, lamps and signs by environment."""
    autumn = chance(rng, _AUTUMN)
    leaves = things.AUTUMN if autumn else things.GREENS
    placed: list[Placed] = []
    for side, edge in ((-1, road.left), (1, road.right)):
        if environment == "Urban":
            placed += _blocks(rng, side, edge, dark=dark)
        elif environment == "Suburban":
            placed += _houses(rng, side, edge)
        trees = {"Urban": 3, "Suburban": 7, "Rural": 9, "Highway": 8}[environment]
        away = {"Urban": 1.6, "Suburban": 3.6, "Rural": 4.0, "Highway": 7.0}[environment]
        placed += _trees(rng, side, edge + side * away, leaves, trees)
        if environment in ("Urban", "Suburban"):
            for z in np.arange(float(rng.uniform(8, 26)), 120.0, 32.0).tolist():
                lamp = partial(things.street_lamp, reach=-side * 2.2, lit=dark)
                placed.append((edge + side * 0.8, z, lamp))
    placed += _signs(rng, road, environment)
    return placed


def _blocks(rng: Rng, side: int, edge: float, *, dark: bool) -> list[Placed]:
    placed: list[Placed] = []
    z = float(rng.uniform(9.0, 14.0))
    while z < _FAR_M:
        wide, high = float(rng.uniform(9, 20)), float(rng.uniform(7, 34))
        x = edge + side * float(rng.uniform(3.2, 5.0)) - (wide if side < 0 else 0.0)
        placed.append((x, z, partial(things.building, rng=rng, wide=wide, high=high, night=dark)))
        z += float(rng.uniform(8, 20))
    return placed


def _houses(rng: Rng, side: int, edge: float) -> list[Placed]:
    placed: list[Placed] = []
    roofs: tuple[Colour, ...] = ((92, 84, 80), (120, 72, 56), (70, 76, 86))
    for z in np.arange(float(rng.uniform(16, 26)), 120.0, 19.0).tolist():
        x = edge + side * float(rng.uniform(10.0, 14.0))
        placed.append((x, z, partial(things.house, rng=rng, roof=things.pick(rng, roofs))))
        if chance(rng, 0.3):
            left = x - 5.0 if side > 0 else x - 3.0
            placed.append((left, z - 3.0, partial(things.picket_fence, wide=8.0)))
    return placed


def _trees(
    rng: Rng, side: int, edge: float, leaves: tuple[Colour, ...], count: int
) -> list[Placed]:
    placed: list[Placed] = []
    for _ in range(count):
        z, x = float(rng.uniform(11, 110)), edge + side * float(rng.exponential(5.0))
        high, tone = float(rng.uniform(4.5, 10)), things.pick(rng, leaves)
        if leaves is things.GREENS and chance(rng, 0.3):
            placed.append((x, z, partial(things.conifer, leaves=tone, high=high)))
        else:
            placed.append((x, z, partial(things.tree, rng=rng, leaves=tone, high=high)))
    return placed


def _signs(rng: Rng, road: Road, environment: str) -> list[Placed]:
    """Signs and signals that stand there for good, also beside works."""
    placed: list[Placed] = []
    beside = road.right + 0.9
    if chance(rng, 0.25):
        placed.append((beside, float(rng.uniform(11, 34)), things.yellow_sign))
    if chance(rng, 0.3):
        placed.append((beside, float(rng.uniform(10, 40)), things.speed_sign))
    if environment == "Highway" and chance(rng, 0.5):
        placed.append(((road.left + road.right) / 2, float(rng.uniform(34, 90)), things.guide_sign))
    if environment == "Urban" and chance(rng, 0.5):
        phase, z = int(rng.integers(3)), float(rng.uniform(18, 45))
        placed.append((beside, z, partial(things.signal, reach=-road.right * 0.7, phase=phase)))
    return placed


def orange_roadside(rng: Rng, road: Road, environment: str) -> list[Placed]:
    """Perhaps an orange awning or billboard, which means nothing."""
    if not chance(rng, _ORANGE_ROADSIDE):
        return []
    tone = things.pick(rng, (things.ORANGE,))
    side = 1 if chance(rng, 0.6) else -1
    edge = road.right if side > 0 else road.left
    z = float(rng.uniform(14, 40))
    if environment == "Urban" and chance(rng, 0.6):
        wide = float(rng.uniform(4, 9))
        x = edge + side * 2.4 - (wide if side < 0 else 0.0)
        return [(x, z, partial(things.awning, colour=tone, wide=wide))]
    wide = float(rng.uniform(4, 9))
    return [(edge + side * (1.5 + wide / 2), z, partial(things.billboard, board=tone, wide=wide))]


def traffic(rng: Rng, road: Road, hidden: float) -> list[Placed]:
    """Cars in the lanes, in ours far enough ahead; some are orange, many brake.

    None drives where it would hide what stands at `hidden`, metres to the right per metre ahead.
    """
    placed: list[Placed] = []
    middles = np.arange(road.oncoming_to - road.lane * 2.5, road.right - 1.2, road.lane).tolist()
    for x in middles:
        if x < road.left + 1.0:
            continue
        z = float(rng.uniform(9, 45)) + (4.0 if abs(x) < 1.0 else 0.0)
        while z < _FAR_M and chance(rng, 0.62):
            if abs(x / z - hidden) < 0.09 + 1.0 / z:
                z += 12.0
                continue
            orange = chance(rng, _ORANGE_TRAFFIC)
            colour = things.paint(rng, orange=orange)
            oncoming = x < road.oncoming_to
            if chance(rng, 0.2) and not oncoming:
                placed.append((x, z, partial(things.van, colour=colour)))
            else:
                braking = chance(rng, 0.5)
                draw = partial(things.car, rng=rng, colour=colour, oncoming=oncoming,
                               braking=braking)  # fmt: skip
                placed.append((x + float(rng.normal(0, 0.2)), z, draw))
            z += float(rng.uniform(8, 40))
    return placed
