"""A challenge's metadata with no field missing, and text vectors without the text encoder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FULL_ROW: dict[str, Any] = {
    "gps_lat": 40.7,
    "gps_lon": -74.0,
    "city": "new_york_city",
    "scene_description": "Cones close a lane.",
    "daytime": "Dark",
    "environment": "Urban",
    "travel_alteration": ["Lane Shift"],
    "weather": ["Rain", "Fog"],
    "gps_null": None,
    "city_null": None,
    "scene_description_null": None,
    "daytime_null": None,
    "environment_null": None,
    "travel_alteration_null": None,
    "weather_null": None,
}


def letter_vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """(N, 384), 1 at the letters that each text holds; stands for the text encoder."""
    vectors = np.zeros((len(texts), 384), np.float32)
    for row, text in enumerate(texts):
        vectors[row, [ord(letter) % 384 for letter in text]] = 1
    return vectors
