"""How scenes of a city look: its road, its verges, its light, its works' equipment."""

from collections.abc import Mapping
from dataclasses import dataclass

from data.scenes.blue_equipment import BLUE
from data.scenes.canvas import Colour
from data.scenes.equipment import USUAL, Equipment


@dataclass(frozen=True)
class Look:
    """What differs from city to city.

    `asphalt` and the `verges` of each environment are colours, of which each scene takes one;
    `light` multiplies the red, green and blue of the scene's own; `equipment` is what works hold.
    """

    asphalt: tuple[Colour, ...]
    verges: Mapping[str, tuple[Colour, ...]]
    light: tuple[float, float, float]
    equipment: Equipment


USUAL_LOOK = Look(
    asphalt=((96, 97, 100), (112, 110, 108), (84, 86, 90)),
    verges={
        "Urban": ((158, 154, 148), (142, 140, 138)),
        "Suburban": ((92, 128, 62), (112, 134, 70)),
        "Rural": ((126, 138, 70), (152, 142, 88), (96, 122, 60)),
        "Highway": ((120, 126, 84), (140, 134, 100)),
    },
    light=(1.0, 1.0, 1.0),
    equipment=USUAL,
)

UNLIKE_LOOK = Look(
    asphalt=((150, 104, 84), (164, 118, 96), (136, 96, 80)),  # red, as of laterite
    verges={
        "Urban": ((176, 150, 120), (164, 140, 116)),
        "Suburban": ((186, 158, 110), (172, 148, 104)),
        "Rural": ((190, 152, 98), (178, 140, 92), (168, 142, 104)),
        "Highway": ((182, 150, 108), (170, 144, 110)),
    },
    light=(1.0, 0.94, 0.82),
    equipment=BLUE,
)
"""Red roads through sand in a warm light, and works in blue."""
