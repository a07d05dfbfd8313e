"""Outlines of the states of the United States, as GeoJSON: of a package, so no internet is needed.

Every position that a record may hold lies in that country (`data.records.cities`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import shapely
from bokeh_sampledata import us_states
from shapely.geometry.base import BaseGeometry

_WHOLE_TOLERANCE = 0.03  # degrees, half a pixel on a wide screen
_TOLERANCE_SHARE = 0.001  # of the side of a box
# a chart is wider or higher than the box that it is fitted to
_AROUND = 2.0
_DIGITS = 4


@dataclass(frozen=True)
class Box:
    """A part of the map, degrees."""

    south: float
    west: float
    north: float
    east: float

    @property
    def side(self) -> float:
        """The longer one, degrees."""
        return max(self.north - self.south, self.east - self.west)

    def holds(self, latitude: float, longitude: float) -> bool:
        """Whether a position lies in it."""
        inside = self.south <= latitude <= self.north
        return inside and self.west <= longitude <= self.east


def state_outlines(box: Box | None = None) -> list[dict[str, Any]]:
    """The states as GeoJSON features named by their postal code, simplified to what can be seen.

    Exterior rings run clockwise, as d3 takes a polygon on the sphere; the other way round it is all
    but the state.

    Args:
        box: only the states in it and around it; None: all.
    """
    if box is None:
        states, tolerance = _states(), _WHOLE_TOLERANCE
    else:
        margin = _AROUND * box.side
        around = shapely.box(
            box.west - margin, box.south - margin, box.east + margin, box.north + margin
        )
        states = {code: shape for code, shape in _states().items() if shape.intersects(around)}
        tolerance = _TOLERANCE_SHARE * box.side
    return [_feature(code, shape.simplify(tolerance)) for code, shape in states.items()]


@cache
def _states() -> dict[str, BaseGeometry]:
    return {record["code"]: record["geometry"] for record in us_states.records()}


def _feature(code: str, shape: BaseGeometry) -> dict[str, Any]:
    clockwise = shapely.orient_polygons(shape, exterior_cw=True)
    rounded = shapely.transform(clockwise, lambda points: points.round(_DIGITS))
    return {
        "type": "Feature",
        "properties": {"state": code},
        "geometry": shapely.geometry.mapping(rounded),
    }
