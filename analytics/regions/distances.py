"""Great-circle distances of many places at once, by the haversine formula."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.scoring.metrics import Floats
from data.records.cities import EARTH_KILOMETRES


def great_circle_km(
    latitude: ArrayLike,
    longitude: ArrayLike,
    other_latitude: ArrayLike,
    other_longitude: ArrayLike,
) -> Floats:
    """Kilometres between places in degrees north and east, on a sphere of the earth's mean radius.

    Off the geodesic of the WGS 84 ellipsoid by at most 0.57% of it, the most along a meridian at
    the equator, where the ellipsoid is flattest. A latitude beyond a pole or a longitude beyond the
    antimeridian means the place that it wraps to; NaN gives NaN.

    Args:
        latitude: degrees, an array or a number; the four are broadcast.
        longitude: degrees.
        other_latitude: degrees.
        other_longitude: degrees.

    Returns:
        Kilometres, of the broadcast shape; 0 to half the circumference, 20,015.1.
    """
    north, other_north = np.radians(latitude), np.radians(other_latitude)
    east = np.radians(np.subtract(other_longitude, longitude))
    # haversine (Sinnott 1984): the law of cosines would lose metres between near places
    half_chord = (
        np.sin((other_north - north) / 2) ** 2
        + np.cos(north) * np.cos(other_north) * np.sin(east / 2) ** 2
    )
    return haversine_km(half_chord)


def unit_vectors(latitude: ArrayLike, longitude: ArrayLike) -> Floats:
    """Places in degrees as points of the unit sphere, (3, ...): for many distances to one place."""
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack((np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)))


def haversines(vectors: Floats, other: Floats) -> Floats:
    """The haversine of the angle between points and another, (n,): a quarter of the squared chord.

    Args:
        vectors: (3, n), as `unit_vectors` gives them.
        other: (3,), likewise.
    """
    x, y, z = (axis - value for axis, value in zip(vectors, other, strict=True))
    quarter: Floats = (x * x + y * y + z * z) / 4
    return quarter


def haversine_km(haversine: Floats) -> Floats:
    """Kilometres on the sphere by the haversine of the angle."""
    # between opposite places rounding may leave it just above 1
    angle: Floats = 2 * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))
    return EARTH_KILOMETRES * angle
