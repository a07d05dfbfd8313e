"""Positions around cities of the data set, with known clusters."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from data.records.cities import CITIES

_KILOMETRES_PER_DEGREE = 111.2

Positions = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]
"""Latitudes, longitudes, and the city of each."""


def around_cities(
    counts: Mapping[str, int], *, scatter_km: float = 6.0, seed: int = 0
) -> Positions:
    """So many positions around each city, scattered as the drawn scenes are."""
    rng = np.random.default_rng(seed)
    cities = np.repeat(list(counts), list(counts.values()))
    places = np.array([CITIES[city] for city in cities]).reshape(-1, 2)
    degrees = rng.normal(0.0, scatter_km / _KILOMETRES_PER_DEGREE, (len(cities), 2))
    latitudes = places[:, 0] + degrees[:, 0]
    return latitudes, places[:, 1] + degrees[:, 1] / np.cos(np.radians(latitudes)), cities
