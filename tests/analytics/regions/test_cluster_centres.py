"""Cluster centres: found again where they are known, whatever the order, the seed or repeats."""

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from analytics.regions.cluster_centres import (
    ELSEWHERE,
    Centres,
    ClusterSettings,
    cluster_centres,
    distinct_positions,
    nearest_cluster,
)
from analytics.regions.distances import great_circle_km
from data.records.cities import CITIES
from tests.analytics.regions.drawn_positions import around_cities

ALL_ALIKE = dict.fromkeys(CITIES, 30)
SKEWED = dict.fromkeys(CITIES, 12) | {"phoenix": 600, "boston": 200}


@pytest.mark.parametrize("counts", [ALL_ALIKE, SKEWED, {"phoenix": 40}, {"boston": 9, "denver": 6}])
def test_each_city_is_found_again_and_named(counts: dict[str, int]) -> None:
    latitudes, longitudes, cities = around_cities(counts)
    centres = cluster_centres(latitudes, longitudes)
    numbers = nearest_cluster(centres, latitudes, longitudes)
    assert set(centres.names) == set(counts)
    assert adjusted_rand_score(cities, numbers) > 0.999
    for name, *centre in zip(centres.names, centres.latitude, centres.longitude, strict=True):
        assert geodesic(centre, CITIES[name]).km < 8


@pytest.mark.parametrize("counts", [ALL_ALIKE, SKEWED])
def test_neither_order_nor_repeats_move_a_centre(counts: dict[str, int]) -> None:
    latitudes, longitudes, _ = around_cities(counts)
    rng = np.random.default_rng(1)
    order = np.concatenate([rng.permutation(len(latitudes)), rng.integers(0, 60, 500)])
    first = cluster_centres(latitudes, longitudes)
    again = cluster_centres(latitudes[order], longitudes[order])
    assert first.names == again.names
    assert np.array_equal(first.latitude, again.latitude)
    assert np.array_equal(first.longitude, again.longitude)


def test_a_sample_finds_the_same_cities_whatever_the_seed() -> None:
    latitudes, longitudes, cities = around_cities(dict.fromkeys(CITIES, 300))
    for seed in range(5):
        sampled = ClusterSettings(most_positions=600, seed=seed)
        centres = cluster_centres(latitudes, longitudes, sampled)
        assert set(centres.names) == set(CITIES)
        numbers = nearest_cluster(centres, latitudes, longitudes)
        assert adjusted_rand_score(cities, numbers) > 0.999


def test_strays_make_no_cluster_and_move_none() -> None:
    latitudes, longitudes, _ = around_cities({"denver": 60, "houston": 40})
    north = np.append(latitudes, [48.0, 47.5, 25.0])
    east = np.append(longitudes, [-120.0, -100.0, -70.0])
    with_strays = cluster_centres(north, east)
    assert set(with_strays.names) == {"denver", "houston"}
    assert nearest_cluster(with_strays, north, east)[-3:].tolist() == [ELSEWHERE] * 3
    without = cluster_centres(latitudes, longitudes)
    moved = great_circle_km(
        with_strays.latitude, with_strays.longitude, without.latitude, without.longitude
    )
    assert moved.max() < 1


def test_a_cluster_across_the_antimeridian_is_one() -> None:
    rng = np.random.default_rng(0)
    longitudes = 180 + rng.normal(0, 0.05, 40)
    longitudes[longitudes > 180] -= 360
    centres = cluster_centres(-17 + rng.normal(0, 0.05, 40), longitudes)
    (name,) = centres.names
    assert name.startswith("around -1")
    assert geodesic((centres.latitude[0], centres.longitude[0]), (-17, 180)).km < 5


def test_two_clusters_of_one_city_have_two_names() -> None:
    latitudes, longitudes, _ = around_cities({"denver": 40}, scatter_km=2.0)
    north = np.concatenate([latitudes, latitudes + 1.0])
    centres = cluster_centres(north, np.tile(longitudes, 2))
    assert centres.names == ("denver (2)", "denver")
    assert centres.latitude[0] > centres.latitude[1]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_fewer_positions_than_a_cluster_needs_are_none(count: int) -> None:
    latitudes, longitudes, _ = around_cities({"denver": count})
    centres = cluster_centres(np.repeat(latitudes, 3), np.repeat(longitudes, 3))
    assert centres.names == ()
    assert nearest_cluster(centres, latitudes, longitudes).tolist() == [ELSEWHERE] * count


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=30))
def test_the_nearest_centre_is_the_nearest_by_distance(places: list[tuple[float, float]]) -> None:
    cities = np.array(list(CITIES.values()))
    centres = Centres(cities[:, 0], cities[:, 1], tuple(CITIES))
    positions = np.array(places, np.float64).reshape(-1, 2)
    found = nearest_cluster(centres, positions[:, 0], positions[:, 1], reach_km=1500.0)
    distances = great_circle_km(positions[:, :1], positions[:, 1:], cities[:, 0], cities[:, 1])
    for number, row in zip(found, distances, strict=True):
        if number == ELSEWHERE:
            assert row.min() > 1500 - 1e-6
        else:
            assert row[number] <= row.min() + 1e-6
            assert row[number] <= 1500 + 1e-6


@given(st.lists(st.tuples(st.sampled_from([-1.5, 0.0, 40.0]), st.sampled_from([-7.0, 7.0, 180.0]))))
def test_distinct_positions_are_numpys_distinct_rows(places: list[tuple[float, float]]) -> None:
    rows = np.array(places, np.float64).reshape(-1, 2)
    distinct, index = distinct_positions(rows[:, 0], rows[:, 1])
    assert np.array_equal(distinct, np.unique(rows, axis=0))
    assert np.array_equal(distinct[index], rows)
