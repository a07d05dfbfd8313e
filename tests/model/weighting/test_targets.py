"""Targets of weights and distances to them, against geopy and by hand."""

import numpy as np
import polars as pl
import pytest
from geopy.distance import geodesic

from data.errors import RunError
from data.records.cities import CITIES
from model.weighting.evidence import Evidence
from model.weighting.policy import GpsPolicy
from model.weighting.targets import Place, nearest_km, places, tiers

NO_CLUSTERS = Evidence(pl.DataFrame()).clusters


def positions(*cities: tuple[str, int]) -> pl.DataFrame:
    """So many positions a little off each city's centre."""
    rng = np.random.default_rng(0)
    found = [
        tuple(np.array(CITIES[city]) + rng.normal(0, 0.05, 2))
        for city, count in cities
        for _ in range(count)
    ]
    return pl.DataFrame(found, schema=["latitude", "longitude"], orient="row")


def clusters(*cities: str) -> pl.DataFrame:
    rows = [(city, *CITIES[city]) for city in cities]
    return pl.DataFrame(rows, schema=["name", "latitude", "longitude"], orient="row")


def place(city: str) -> Place:
    return Place(city, *CITIES[city], log_share=None, log_low=None, row_share=0.1, is_target=True)


def test_the_nearest_target_is_geopys() -> None:
    rng = np.random.default_rng(1)
    latitude, longitude = rng.uniform(24, 49, 200), rng.uniform(-125, -67, 200)
    rows = pl.DataFrame({"latitude": latitude, "longitude": longitude})
    targets = [place("denver"), place("boston"), place("phoenix")]
    found = nearest_km(rows, targets)
    for at in range(200):
        expected = min(
            geodesic((latitude[at], longitude[at]), (one.latitude, one.longitude)).km
            for one in targets
        )
        assert found[at] == pytest.approx(expected, rel=0.0057)


def test_a_row_without_gps_has_no_distance_and_no_target_is_infinitely_far() -> None:
    rows = pl.DataFrame({"latitude": [39.0, None], "longitude": [-105.0, None]})
    assert np.isnan(nearest_km(rows, [place("denver")])).tolist() == [False, True]
    assert nearest_km(rows, [])[0] == np.inf


def test_tiers_are_those_of_the_policy_each_with_its_bound() -> None:
    distance = np.array([0, 50, 50.1, 200, 200.1, 500, 500.1, np.inf, np.nan])
    assert tiers(distance, GpsPolicy()).tolist() == [5, 5, 2.5, 2.5, 1, 1, 0.3, 0.3, 0.5]


def test_a_target_is_surely_more_common_in_the_log_than_among_the_rows() -> None:
    rows = positions(("denver", 10), ("boston", 45), ("phoenix", 45))
    logged = positions(("denver", 60), ("boston", 20), ("phoenix", 20))
    found = places(clusters("denver", "boston", "phoenix"), logged, rows, GpsPolicy())
    assert {one.name: one.is_target for one in found} == {
        "denver": True,
        "boston": False,
        "phoenix": False,
    }
    assert (found[0].log_share, found[0].row_share) == (0.6, 0.1)
    assert found[0].log_low is not None
    assert 0.4 < found[0].log_low < 0.6


def test_chance_makes_no_target() -> None:
    """18 cities alike in rows and log: in 100 logs of 300 challenges nothing is a target."""
    names = tuple(CITIES)
    rows = positions(*((name, 20) for name in names))
    rng = np.random.default_rng(2)
    made = 0
    for _ in range(100):
        counts = rng.multinomial(300, np.full(len(names), 1 / len(names)))
        logged = positions(*zip(names, counts.tolist(), strict=True))
        found = places(clusters(*names), logged, rows, GpsPolicy(least_lift=1.0))
        made += any(one.is_target for one in found)
    assert made <= 5


def test_given_places_are_targets_whatever_was_logged() -> None:
    policy = GpsPolicy(latitudes=(39.74, 42.36), longitudes=(-104.99, -71.06))
    rows = positions(("denver", 3), ("phoenix", 1))
    found = places(clusters("phoenix"), positions(("phoenix", 9)), rows, policy)
    assert [one.name for one in found] == ["given 39.74, -104.99", "given 42.36, -71.06"]
    assert all(one.is_target for one in found)
    assert [one.row_share for one in found] == [0.75, 0.0]


def test_no_row_with_gps_is_one_line() -> None:
    rows = pl.DataFrame(
        {"latitude": [None, None], "longitude": [None, None]},
        schema={"latitude": pl.Float64, "longitude": pl.Float64},
    )
    with pytest.raises(RunError, match="GPS of 2 source rows: found none that is known"):
        places(NO_CLUSTERS, rows, rows, GpsPolicy())
