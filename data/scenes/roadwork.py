"""Plan a work zone, and place its cones, drums, boards, barriers, fences and machines."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from data.scenes.canvas import Colour, Drawing, Placed
from data.scenes.equipment import CONE_ORANGE, RED, USUAL, WHITE, Equipment
from data.scenes.objects import Rng, chance

ORANGE_KITS: tuple[tuple[str, ...], ...] = (
    ("cones",), ("cones", "sign"), ("drums",), ("drums", "sign"), ("cones", "drums", "truck"),
    ("drums", "barricades"), ("cones", "excavator", "dirt"), ("cones", "fence"),
    ("barricades", "sign"), ("drums", "barriers", "sign"), ("cones", "truck", "sign"),
)  # fmt: skip
PALE_KITS: tuple[tuple[str, ...], ...] = (
    ("red barricades",), ("barriers",), ("fence", "plates"), ("excavator", "fence"),
    ("red barricades", "excavator", "dirt"), ("barriers", "fence"), ("barriers", "dirt", "plates"),
    ("red barricades", "fence"),
)  # fmt: skip


@dataclass(frozen=True)
class WorkZone:
    """A work zone: the kinds of its objects, its side (-1 left, 1 right), and its extent.

    `near_m` is the distance of its first object, metres; `blocked` is how far it reaches into the
    road: 0 stays beside it, 1 takes a lane.
    """

    kinds: tuple[str, ...]
    side: int
    near_m: float
    blocked: float


def plan_work_zone(rng: Rng, *, pale_share: float = 0.32) -> WorkZone:
    """A random work zone; a share of `pale_share` holds little or no orange."""
    kits = PALE_KITS if chance(rng, pale_share) else ORANGE_KITS
    return WorkZone(
        kinds=kits[int(rng.integers(len(kits)))],
        side=1 if chance(rng, 0.62) else -1,
        near_m=float(np.exp(rng.uniform(np.log(7.0), np.log(26.0)))),
        blocked=float(rng.choice([0.0, 0.5, 1.0])),
    )


def place_work_zone(
    rng: Rng, works: WorkZone, edge: float, equipment: Equipment = USUAL
) -> list[Placed]:
    """The objects of a work zone, each with its position (x, z) in metres.

    Args:
        rng: the scene's random generator.
        works: the zone.
        edge: x of the road's edge on the zone's side, metres, signed.
        equipment: what its objects look like.
    """
    placed: list[Placed] = []
    for kind in works.kinds:
        placed += _PLACE_BY_KIND[kind](rng, works, edge, equipment)
    return placed


def _place_row(
    rng: Rng, works: WorkZone, edge: float, draw: Drawing, *, count: tuple[int, int],
    gap: tuple[float, float], inward: float,
) -> list[Placed]:  # fmt: skip
    """Place a row of objects along the edge, tapering into the road by `blocked`."""
    number, step = int(rng.integers(*count)), float(rng.uniform(*gap))
    near = works.near_m * float(rng.uniform(0.9, 1.15))
    reach = inward + 2.6 * works.blocked
    placed: list[Placed] = []
    for index in range(number):
        x = edge - works.side * reach * index / max(1, number - 1)
        placed.append((x + float(rng.normal(0.0, 0.08)), near + step * index, draw))
    return placed


def _cones(rng: Rng, works: WorkZone, edge: float, equipment: Equipment) -> list[Placed]:
    draw = partial(
        equipment.cone, height=float(rng.uniform(0.7, 1.05)), bands=int(rng.integers(1, 3))
    )
    return _place_row(rng, works, edge, draw, count=(3, 9), gap=(1.8, 5.0), inward=0.4)


def _drums(rng: Rng, works: WorkZone, edge: float, equipment: Equipment) -> list[Placed]:
    return _place_row(rng, works, edge, equipment.drum, count=(2, 7), gap=(2.5, 6.0), inward=0.2)


def _boards(
    rng: Rng, works: WorkZone, edge: float, equipment: Equipment, stripe: Colour
) -> list[Placed]:
    draw = partial(
        equipment.barricade, stripe=stripe, boards=int(rng.integers(1, 4)), lean=works.side
    )
    return _place_row(rng, works, edge, draw, count=(1, 4), gap=(1.2, 3.0), inward=1.0)


def _barriers(rng: Rng, works: WorkZone, edge: float, equipment: Equipment) -> list[Placed]:
    placed: list[Placed] = []
    near = works.near_m
    for index in range(int(rng.integers(4, 9))):
        draw = partial(equipment.barrier, colour=RED if index % 2 else WHITE)
        placed.append((edge - works.side * (0.3 + works.blocked), near + 1.9 * index, draw))
    return placed


def _fence(rng: Rng, works: WorkZone, edge: float, equipment: Equipment) -> list[Placed]:
    width = float(rng.uniform(3.0, 3.6))
    near, number = works.near_m * 1.1 + 1.0, int(rng.integers(2, 5))
    start = edge - works.side * (0.8 + 1.6 * works.blocked)
    placed: list[Placed] = []
    for index in range(number):
        x = start + works.side * index * width
        placed.append(
            (x - (width if works.side < 0 else 0.0), near, partial(equipment.fence, width=width))
        )
    return placed


def _place_one(
    rng: Rng, works: WorkZone, edge: float, draw: Drawing, *, outward: float, ahead: float
) -> list[Placed]:
    x = edge + works.side * (outward - 2.0 * works.blocked)
    return [(x, works.near_m + ahead * float(rng.uniform(0.6, 1.4)), draw)]


def _plates(rng: Rng, works: WorkZone, edge: float, equipment: Equipment) -> list[Placed]:
    inside = edge - works.side * float(rng.uniform(1.6, 2.6))
    near = works.near_m
    return [
        (inside, near, equipment.plate),
        (inside + 0.2, near + float(rng.uniform(3.2, 5.0)), equipment.plate),
    ]


_PLACE_BY_KIND: dict[str, Callable[[Rng, WorkZone, float, Equipment], list[Placed]]] = {
    "cones": _cones,
    "drums": _drums,
    "barricades": lambda rng, works, edge, equipment: _boards(
        rng, works, edge, equipment, CONE_ORANGE
    ),
    "red barricades": lambda rng, works, edge, equipment: _boards(rng, works, edge, equipment, RED),
    "barriers": _barriers,
    "fence": _fence,
    "plates": _plates,
    "sign": lambda rng, works, edge, equipment: _place_one(
        rng, works, edge, equipment.sign, outward=0.9, ahead=-0.5
    ),
    "dirt": lambda rng, works, edge, equipment: _place_one(
        rng, works, edge, equipment.dirt, outward=0.8, ahead=3.0
    ),
    "excavator": lambda rng, works, edge, equipment: _place_one(
        rng, works, edge, partial(equipment.excavator, side=works.side), outward=1.4, ahead=7.0
    ),
    "truck": lambda rng, works, edge, equipment: _place_one(
        rng, works, edge, equipment.truck, outward=0.6, ahead=8.0
    ),
}
