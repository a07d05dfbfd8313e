"""The map of clusters: its part of the world, what is drawn there, and its colours."""

from dataclasses import replace
from typing import Any

import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from analytics.regions.gps_clusters import GpsCluster
from dashboards.maps.cluster_map import cluster_map, extent
from dashboards.maps.measures import Measure, place_name
from dashboards.maps.outlines import Box

BOSTON = GpsCluster("boston", 42.36, -71.06, 10.0, 9, 30, 0.6, 0.5, 4, 0.2, 0.5, mcc=-0.25)
DENVER = replace(BOSTON, name="denver", latitude=39.74, longitude=-104.99, n=20, mcc=0.5)
NEAR_BOSTON = replace(BOSTON, name="boston (2)", latitude=42.4, longitude=-70.9, n=5, mcc=None)
CLUSTERS = [BOSTON, DENVER, NEAR_BOSTON]
MCC = Measure(
    "candidate's MCC",
    lambda cluster: cluster.mcc,
    lambda _: None,
    ".2f",
    "challenges",
    lambda cluster: cluster.n,
    is_signed=True,
)


def drawn(box: Box | None) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The chart, and its rows: of circles and of labels."""
    chart: dict[str, Any] = cluster_map(CLUSTERS, MCC, box).to_dict()
    circles, labels = (chart["layer"][k]["data"]["name"] for k in (1, 2))
    sets = chart["datasets"]
    return chart, {"circles": sets[circles], "labels": sets[labels]}


def test_circles_are_the_clusters_and_a_label_needs_room() -> None:
    chart, rows = drawn(None)
    assert chart["projection"] == {"type": "albersUsa"}
    assert [row["n"] for row in rows["circles"]] == [30, 20, 5]
    assert [row["value"] for row in rows["circles"]] == [-0.25, 0.5, None]
    assert [row["label"] for row in rows["labels"]] == ["Boston 30", "Denver 20"]
    colour = chart["layer"][1]["encoding"]["color"]["condition"]
    assert colour["scale"]["domain"] == [-0.5, 0.5]


def test_a_part_of_the_map_holds_its_clusters_alone() -> None:
    chart, rows = drawn(extent([BOSTON]))
    assert [row["place"] for row in rows["circles"]] == ["Boston", "Boston (2)"]
    (west, south), (east, north) = chart["projection"]["fit"]["geometry"]["coordinates"]
    assert south < 42.36 < north
    assert west < -71.06 < east
    outlines = chart["datasets"][chart["layer"][0]["data"]["name"]]
    states = {one["properties"]["state"] for one in outlines}
    assert "MA" in states
    assert "CO" not in states


@given(
    st.lists(
        st.builds(
            replace,
            st.just(BOSTON),
            latitude=st.floats(25, 48),
            longitude=st.floats(-124, -68),
            radius_km=st.floats(0, 150),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_extent_holds_every_cluster_to_its_northern_end(clusters: list[GpsCluster]) -> None:
    box = extent(clusters)
    assert box.side >= 3
    for cluster in clusters:
        assert box.holds(cluster.latitude, cluster.longitude)
        end = (cluster.latitude, cluster.longitude)
        north = great_circle(kilometers=cluster.radius_km * 0.99).destination(end, bearing=0)
        assert north.latitude <= box.north


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("new_york_city (2)", "New York City (2)"),
        ("around 46.60, -112.02", "around 46.60, -112.02"),
    ],
)
def test_names_are_for_readers(name: str, shown: str) -> None:
    assert place_name(name) == shown
