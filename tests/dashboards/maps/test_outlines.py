"""States' outlines: where cities of the data set lie, and which way rings run."""

import pytest
from shapely.geometry import Point, Polygon, shape

from dashboards.maps.outlines import Box, state_outlines
from data.records.cities import CITIES

STATES = {"boston": "MA", "chicago": "IL", "denver": "CO", "houston": "TX", "phoenix": "AZ"}
AROUND_BOSTON = Box(41.5, -72.0, 43.0, -70.0)


@pytest.mark.parametrize("box", [None, Box(25.0, -120.0, 48.0, -70.0)])
def test_cities_lie_in_their_states(box: Box | None) -> None:
    outlines = {one["properties"]["state"]: shape(one["geometry"]) for one in state_outlines(box)}
    for city, code in STATES.items():
        latitude, longitude = CITIES[city]
        assert outlines[code].contains(Point(longitude, latitude))
        assert not outlines["WA"].contains(Point(longitude, latitude))


def test_exterior_rings_run_clockwise() -> None:
    """As d3 wants them; else a state is drawn as all of the earth but it."""
    for outline in state_outlines(AROUND_BOSTON):
        whole = shape(outline["geometry"])
        for part in getattr(whole, "geoms", [whole]):
            assert isinstance(part, Polygon)
            assert not part.exterior.is_ccw


def test_a_small_box_has_few_states_in_more_detail() -> None:
    near = {one["properties"]["state"]: one for one in state_outlines(AROUND_BOSTON)}
    whole = {one["properties"]["state"]: one for one in state_outlines()}
    assert {"MA", "NH"} <= set(near) < set(whole)
    assert "CA" not in near
    assert len(whole) == 51
    assert len(str(near["MA"])) > len(str(whole["MA"]))
