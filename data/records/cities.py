"""The cities of the public data set, distances between places, and checks of a logged GPS position.

The data set holds 18 cities of the United States (DOMAIN.md §6). Coordinates written as longitude,
latitude lie in the Antarctic or off the globe; those far from the record's city mean that one of
the two is wrong. Either would move a challenge into another cluster, or hide an overlap.
"""

import math
from collections.abc import Mapping

# Centre of each city, degrees north and east.
CITIES: Mapping[str, tuple[float, float]] = {
    "boston": (42.3601, -71.0589),
    "charlotte": (35.2271, -80.8431),
    "chicago": (41.8781, -87.6298),
    "columbus": (39.9612, -82.9988),
    "denver": (39.7392, -104.9903),
    "detroit": (42.3314, -83.0458),
    "houston": (29.7604, -95.3698),
    "indianapolis": (39.7684, -86.1581),
    "jacksonville": (30.3322, -81.6557),
    "los_angeles": (34.0522, -118.2437),
    "minneapolis": (44.9778, -93.2650),
    "new_york_city": (40.7128, -74.0060),
    "philadelphia": (39.9526, -75.1652),
    "phoenix": (33.4484, -112.0740),
    "pittsburgh": (40.4406, -79.9959),
    "san_antonio": (29.4241, -98.4936),
    "san_francisco": (37.7749, -122.4194),
    "washington": (38.9072, -77.0369),
}

# More than the radius of the largest (Los Angeles, 90 km); images of the golden records lie within
# 29 km.
CITY_KILOMETRES = 150.0

# Of the sphere with the mean radius (IUGG).
EARTH_KILOMETRES = 6371.0088
EARTH_METRES = 1000 * EARTH_KILOMETRES

# South, north, west, east: the contiguous states, Alaska, Hawaii, Puerto Rico.
_COUNTRY = (
    (24.3, 49.5, -125.0, -66.8),
    (51.0, 71.5, -180.0, -129.0),
    (18.8, 22.4, -160.4, -154.7),
    (17.8, 18.6, -67.4, -65.1),
)


def position_problem(latitude: float, longitude: float, city: str | None) -> str | None:
    """Why a GPS position cannot be that of an image of the data set; None where it can.

    Args:
        latitude: degrees north.
        longitude: degrees east.
        city: the city that the record names; one that is not listed is not compared.
    """
    if not _in_country(latitude, longitude):
        swapped = _in_country(longitude, latitude)
        return "a place outside the United States" + (
            " (longitude before latitude)" if swapped else ""
        )
    name = (city or "").strip().casefold().replace(" ", "_")
    if name not in CITIES:
        return None
    distance = kilometres(latitude, longitude, *CITIES[name])
    return f"a place {distance:.0f} km from {name}" if distance > CITY_KILOMETRES else None


def kilometres(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """The great-circle distance of two places in degrees; geopy would take 0.6 s to import."""
    north, other_north = math.radians(latitude), math.radians(other_latitude)
    east = math.radians(other_longitude - longitude)
    half_chord = (
        math.sin((other_north - north) / 2) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin(east / 2) ** 2
    )
    return 2 * EARTH_KILOMETRES * math.asin(math.sqrt(min(1.0, half_chord)))


def _in_country(latitude: float, longitude: float) -> bool:
    return any(
        south <= latitude <= north and west <= longitude <= east
        for south, north, west, east in _COUNTRY
    )
