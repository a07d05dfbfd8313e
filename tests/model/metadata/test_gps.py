import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from model.metadata.gps import GPS_WIDTH, gps_features

Floats = npt.NDArray[np.float64]

# Alaska, Hawaii and the contiguous states: latitudes and longitudes
US = ((51.2, 71.4, -168.0, -130.0), (18.9, 22.3, -160.3, -154.8), (24.5, 49.4, -124.8, -66.9))
places = st.sampled_from(US).flatmap(
    lambda box: st.tuples(st.floats(box[0], box[1]), st.floats(box[2], box[3]))
)
bearings = st.floats(0, 2 * np.pi)


def away(place: tuple[float, float], km: float, bearing: float) -> tuple[float, float]:
    """The place so many km away on a great circle."""
    latitude, longitude = np.radians(place)
    angle = km / 6371.0088
    there = np.arcsin(
        np.sin(latitude) * np.cos(angle) + np.cos(latitude) * np.sin(angle) * np.cos(bearing)
    )
    turned = np.arctan2(
        np.sin(bearing) * np.sin(angle) * np.cos(latitude),
        np.cos(angle) - np.sin(latitude) * np.sin(there),
    )
    return float(np.degrees(there)), float(np.degrees(longitude + turned))


def difference(first: tuple[float, float], second: tuple[float, float]) -> float:
    """1 - cosine."""
    a, b = gps_features(*np.transpose([first, second])).astype(np.float64)
    return float(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@given(places, bearings)
def test_places_30_km_apart_differ_by_more_than_a_tenth(
    place: tuple[float, float], bearing: float
) -> None:
    assert difference(place, away(place, 30, bearing)) > 0.1


@given(places, bearings, places, bearings)
def test_1_km_is_less_than_half_of_500_km_wherever_both_are(
    near: tuple[float, float], turn: float, far: tuple[float, float], other_turn: float
) -> None:
    close = difference(near, away(near, 1, turn))
    assert close < difference(far, away(far, 500, other_turn)) / 2


@given(places, bearings)
def test_a_street_away_is_seen_and_is_close(place: tuple[float, float], bearing: float) -> None:
    assert 0.001 < difference(place, away(place, 0.1, bearing)) < 0.05


def test_each_coordinate_is_there_at_every_scale() -> None:
    features = gps_features([40.0, 41.0, 40.0], [-98.0, -98.0, -97.0])
    assert features.shape == (3, GPS_WIDTH)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-6)
    north, east = np.split(np.arange(GPS_WIDTH), 2)
    # on the middle meridian, moving north changes only the northern half
    assert (features[0, north] != features[1, north]).all()
    np.testing.assert_array_equal(features[0, east], features[1, east])
    assert (features[0, east] != features[2, east]).any()
    np.testing.assert_array_equal(features[0, north], features[2, north])


def test_a_km_east_is_a_km_at_every_latitude() -> None:
    steps = [
        difference(
            (latitude, -98.0), (latitude, -98.0 + 1 / (111.195 * np.cos(np.radians(latitude))))
        )
        for latitude in (20.0, 45.0, 70.0)
    ]
    np.testing.assert_allclose(steps, steps[0], rtol=1e-3)
