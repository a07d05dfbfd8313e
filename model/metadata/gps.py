"""GPS features: latitude and longitude as sines and cosines, from continent to street scale."""

import numpy as np
import numpy.typing as npt

from data.records.cities import EARTH_KILOMETRES

GPS_WIDTH = 128

# The middle of the contiguous US: east-west distances are measured from here.
_MERIDIAN = -98.0

# Wavelengths in km: a continent, and a few blocks. A scale resolves a quarter of its wavelength.
_LONGEST, _SHORTEST = 5000.0, 0.5

# Amplitudes grow as wavelength**0.1. With equal ones, places 1 km apart, whose phases differ at
# every scale below 4 km, would be more than half as far apart as places at 500 km.
_AMPLITUDE_EXPONENT = 0.1


def gps_features(latitude: npt.ArrayLike, longitude: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The fixed features of places: a unit vector for each.

    The coordinates are km north of the equator and km east of 98 W (the sinusoidal projection), so
    that a km is a km at every latitude; degrees of longitude shrink by half between Florida and
    Alaska. Sines and cosines of each at 32 wavelengths in geometric steps, in float64: at the
    shortest, a coordinate is 10,000 waves long.

    Args:
        latitude: (N,) degrees, -90..90.
        longitude: (N,) degrees, -180..180.

    Returns:
        (N, 128), float32.
    """
    north = np.radians(np.asarray(latitude, np.float64))
    east = np.radians((np.asarray(longitude, np.float64) - _MERIDIAN + 180) % 360 - 180)
    km = EARTH_KILOMETRES * np.stack((north, east * np.cos(north)), axis=-1)  # (N, 2)
    lengths = np.geomspace(_LONGEST, _SHORTEST, GPS_WIDTH // 4)
    angles = 2 * np.pi * km[..., None] / lengths  # (N, 2, 32)
    amplitudes = lengths**_AMPLITUDE_EXPONENT
    waves = np.concatenate((np.sin(angles), np.cos(angles)), axis=-1) * np.tile(amplitudes, 2)
    # sin² + cos² of one angle is 1: every row has this length.
    length = np.sqrt(2 * np.square(amplitudes).sum())
    features: npt.NDArray[np.float32] = (waves / length).reshape(-1, GPS_WIDTH).astype(np.float32)
    return features
