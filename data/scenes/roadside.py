"""Place all objects of a road but its work zone: buildings, trees, signs and traffic."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from data.scenes import objects
from data.scenes.canvas import Colour, Placed
from data.scenes.objects import Rng, chance

# Probabilities of orange objects that are no roadwork; independent of the label, so that their
# presence says nothing about it.
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
    """A random road of an environment; the camera drives in one of its lanes."""
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
    """Buildings, houses, trees, lamps and signs along the road, by environment."""
    autumn = chance(rng, _AUTUMN)
    leaves = objects.AUTUMN if autumn else objects.GREENS
    placed: list[Placed] = []
    for side, edge in ((-1, road.left), (1, road.right)):
        if environment == "Urban":
            placed += _buildings(rng, side, edge, dark=dark)
        elif environment == "Suburban":
            placed += _houses(rng, side, edge)
        trees = {"Urban": 3, "Suburban": 7, "Rural": 9, "Highway": 8}[environment]
        away = {"Urban": 1.6, "Suburban": 3.6, "Rural": 4.0, "Highway": 7.0}[environment]
        placed += _trees(rng, side, edge + side * away, leaves, trees)
        if environment in ("Urban", "Suburban"):
            for z in np.arange(float(rng.uniform(8, 26)), 120.0, 32.0).tolist():
                lamp = partial(objects.street_lamp, reach=-side * 2.2, lit=dark)
                placed.append((edge + side * 0.8, z, lamp))
    placed += _signs(rng, road, environment)
    return placed


def _buildings(rng: Rng, side: int, edge: float, *, dark: bool) -> list[Placed]:
    placed: list[Placed] = []
    z = float(rng.uniform(9.0, 14.0))
    while z < _FAR_M:
        width, height = float(rng.uniform(9, 20)), float(rng.uniform(7, 34))
        x = edge + side * float(rng.uniform(3.2, 5.0)) - (width if side < 0 else 0.0)
        placed.append(
            (x, z, partial(objects.building, rng=rng, width=width, height=height, night=dark))
        )
        z += float(rng.uniform(8, 20))
    return placed


def _houses(rng: Rng, side: int, edge: float) -> list[Placed]:
    placed: list[Placed] = []
    roofs: tuple[Colour, ...] = ((92, 84, 80), (120, 72, 56), (70, 76, 86))
    for z in np.arange(float(rng.uniform(16, 26)), 120.0, 19.0).tolist():
        x = edge + side * float(rng.uniform(10.0, 14.0))
        placed.append((x, z, partial(objects.house, rng=rng, roof=objects.pick(rng, roofs))))
        if chance(rng, 0.3):
            left = x - 5.0 if side > 0 else x - 3.0
            placed.append((left, z - 3.0, partial(objects.picket_fence, width=8.0)))
    return placed


def _trees(
    rng: Rng, side: int, edge: float, leaves: tuple[Colour, ...], count: int
) -> list[Placed]:
    placed: list[Placed] = []
    for _ in range(count):
        z, x = float(rng.uniform(11, 110)), edge + side * float(rng.exponential(5.0))
        height, tone = float(rng.uniform(4.5, 10)), objects.pick(rng, leaves)
        if leaves is objects.GREENS and chance(rng, 0.3):
            placed.append((x, z, partial(objects.conifer, leaves=tone, height=height)))
        else:
            placed.append((x, z, partial(objects.tree, rng=rng, leaves=tone, height=height)))
    return placed


def _signs(rng: Rng, road: Road, environment: str) -> list[Placed]:
    """Permanent signs and signals, present with and without a work zone."""
    placed: list[Placed] = []
    beside = road.right + 0.9
    if chance(rng, 0.25):
        placed.append((beside, float(rng.uniform(11, 34)), objects.yellow_sign))
    if chance(rng, 0.3):
        placed.append((beside, float(rng.uniform(10, 40)), objects.speed_sign))
    if environment == "Highway" and chance(rng, 0.5):
        placed.append(
            ((road.left + road.right) / 2, float(rng.uniform(34, 90)), objects.guide_sign)
        )
    if environment == "Urban" and chance(rng, 0.5):
        phase, z = int(rng.integers(3)), float(rng.uniform(18, 45))
        placed.append((beside, z, partial(objects.signal, reach=-road.right * 0.7, phase=phase)))
    return placed


def orange_roadside(rng: Rng, road: Road, environment: str) -> list[Placed]:
    """At random an orange awning or billboard, whatever the label."""
    if not chance(rng, _ORANGE_ROADSIDE):
        return []
    tone = objects.pick(rng, (objects.ORANGE,))
    side = 1 if chance(rng, 0.6) else -1
    edge = road.right if side > 0 else road.left
    z = float(rng.uniform(14, 40))
    if environment == "Urban" and chance(rng, 0.6):
        width = float(rng.uniform(4, 9))
        x = edge + side * 2.4 - (width if side < 0 else 0.0)
        return [(x, z, partial(objects.awning, colour=tone, width=width))]
    width = float(rng.uniform(4, 9))
    return [
        (edge + side * (1.5 + width / 2), z, partial(objects.billboard, board=tone, width=width))
    ]


def traffic(rng: Rng, road: Road, hidden: float) -> list[Placed]:
    """Cars and vans in the lanes, at random; some are orange, many brake.

    None covers the direction `hidden`, in metres to the right per metre ahead, of the work zone.
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
            colour = objects.paint(rng, orange=orange)
            oncoming = x < road.oncoming_to
            if chance(rng, 0.2) and not oncoming:
                placed.append((x, z, partial(objects.van, colour=colour)))
            else:
                braking = chance(rng, 0.5)
                draw = partial(objects.car, rng=rng, colour=colour, oncoming=oncoming,
                               braking=braking)  # fmt: skip
                placed.append((x + float(rng.normal(0, 0.2)), z, draw))
            z += float(rng.uniform(8, 40))
    return placed
