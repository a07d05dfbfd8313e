"""Distances: against geopy on the sphere and on the ellipsoid, and the laws of a distance."""

import math

import numpy as np
import pytest
from geopy.distance import geodesic, great_circle
from hypothesis import given
from hypothesis import strategies as st

from analytics.regions.distances import (
    great_circle_km,
    haversine_km,
    haversines,
    unit_vectors,
)
from data.records.cities import CITIES, EARTH_KILOMETRES

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)
HALF_ROUND = math.pi * EARTH_KILOMETRES
# what the docstring states, of the geodesic's length
ELLIPSOID_ERROR = 0.0057


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distances_are_geopys_on_the_sphere(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    expected = great_circle((lat, lon), (other_lat, other_lon)).km
    assert float(great_circle_km(lat, lon, other_lat, other_lon)) == pytest.approx(
        expected, rel=1e-9, abs=2e-3
    )


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_the_ellipsoid_is_off_by_the_stated_bound_at_most(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    truth = geodesic((lat, lon), (other_lat, other_lon)).km
    assert abs(great_circle_km(lat, lon, other_lat, other_lon) - truth) <= (
        ELLIPSOID_ERROR * truth + 1e-6
    )


def test_the_stated_bound_is_no_looser_than_needed() -> None:
    truth = geodesic((-0.5, 20.0), (0.5, 20.0)).km
    assert abs(great_circle_km(-0.5, 20.0, 0.5, 20.0) - truth) > 0.97 * ELLIPSOID_ERROR * truth


def test_cities_lie_as_far_apart_as_geopy_says() -> None:
    places = np.array(list(CITIES.values()))
    found = great_circle_km(places[:, None, 0], places[:, None, 1], places[:, 0], places[:, 1])
    truth = np.array([[geodesic(one, other).km for other in places] for one in places])
    assert found.shape == (len(CITIES), len(CITIES))
    assert np.abs(found - truth).max() <= ELLIPSOID_ERROR * truth.max()
    assert np.all(np.diag(found) == 0)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_a_distance_is_symmetric_and_at_most_half_round_the_earth(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    there = float(great_circle_km(lat, lon, other_lat, other_lon))
    back = float(great_circle_km(other_lat, other_lon, lat, lon))
    assert there == pytest.approx(back, rel=1e-12, abs=1e-9)
    assert 0 <= there <= HALF_ROUND * (1 + 1e-12)
    assert float(great_circle_km(lat, lon, lat, lon)) == 0


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_a_way_round_is_never_shorter(
    lat: float, lon: float, by_lat: float, by_lon: float, to_lat: float, to_lon: float
) -> None:
    direct = great_circle_km(lat, lon, to_lat, to_lon)
    by = great_circle_km(lat, lon, by_lat, by_lon) + great_circle_km(by_lat, by_lon, to_lat, to_lon)
    assert float(direct) <= float(by) + 1e-3


@given(LATITUDES, LONGITUDES, LONGITUDES)
def test_a_pole_has_no_longitude(latitude: float, longitude: float, other: float) -> None:
    for pole in (-90.0, 90.0):
        expected = math.radians(abs(pole - latitude)) * EARTH_KILOMETRES
        found = great_circle_km(pole, longitude, latitude, other)
        assert float(found) == pytest.approx(expected, abs=1e-3)


def test_the_antimeridian_is_no_border() -> None:
    across = great_circle_km(10.0, 179.99, 10.0, -179.99)
    assert float(across) == pytest.approx(float(great_circle_km(10.0, 0.0, 10.0, 0.02)), rel=1e-9)
    assert float(great_circle_km(5.0, 180.0, 5.0, -180.0)) == pytest.approx(0.0, abs=1e-9)


def test_near_places_keep_their_centimetres() -> None:
    truth = geodesic((42.36, -71.05), (42.36, -71.0500001)).m
    found = 1000 * great_circle_km(42.36, -71.05, 42.36, -71.0500001)
    assert float(found) == pytest.approx(truth, rel=ELLIPSOID_ERROR)


def test_nothing_and_nan_pass_through() -> None:
    empty = np.empty(0)
    assert great_circle_km(empty, empty, 1.0, 2.0).shape == (0,)
    assert np.isnan(great_circle_km([1.0, np.nan], 2.0, 3.0, 4.0)).tolist() == [False, True]


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_points_of_the_sphere_are_as_far_apart(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    vectors = unit_vectors(np.array([lat]), np.array([lon]))
    found = haversine_km(haversines(vectors, unit_vectors(other_lat, other_lon)))
    expected = great_circle((lat, lon), (other_lat, other_lon)).km
    assert found.shape == (1,)
    assert float(found[0]) == pytest.approx(expected, rel=1e-9, abs=2e-3)
