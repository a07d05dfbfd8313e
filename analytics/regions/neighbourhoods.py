"""Neighbourhoods: GPS positions a few streets from each other, by DBSCAN.

Slices of `compare`; what retraining aims at are the larger `gps_clusters`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from analytics.scoring.metrics import Floats
from data.records.cities import EARTH_KILOMETRES

ALONE = -1
"""The number of a position that belongs to no neighbourhood."""


@dataclass(frozen=True)
class NeighbourhoodSettings:
    """DBSCAN's radius in kilometres, and how many different positions within it make one."""

    radius_km: float = 2.0
    min_positions: int = 5


def neighbourhoods(
    latitudes: Floats, longitudes: Floats, settings: NeighbourhoodSettings = NeighbourhoodSettings()
) -> NDArray[np.int64]:
    """The neighbourhood of each position, (n,): numbers from 0 on, -1 for a position of none.

    DBSCAN (Ester et al. 1996) over great-circle distances between distinct positions: repeats of an
    image make none denser.

    Args:
        latitudes: degrees, (n,).
        longitudes: degrees, (n,).
        settings: radius and least number of positions.
    """
    if not len(latitudes):
        return np.empty(0, np.int64)
    distinct, index = np.unique(np.stack([latitudes, longitudes], 1), axis=0, return_inverse=True)
    radius = settings.radius_km / EARTH_KILOMETRES
    dbscan = DBSCAN(
        eps=radius, min_samples=settings.min_positions, metric="haversine", algorithm="ball_tree"
    )
    labels = dbscan.fit_predict(np.radians(distinct))
    numbers: NDArray[np.int64] = labels[index.ravel()].astype(np.int64)
    return numbers


def neighbourhood_names(
    latitudes: Floats, longitudes: Floats, numbers: NDArray[np.int64]
) -> NDArray[np.str_]:
    """A name for each position's neighbourhood: its mean position to 0.01 degrees, or `alone`."""
    names = np.full(len(numbers), "alone", dtype="U32")
    # sorted once: a look through all positions for each of many neighbourhoods would take hours
    order = np.argsort(numbers, kind="stable")
    distinct, starts = np.unique(numbers[order], return_index=True)
    ends = np.append(starts, len(order))[1:]
    for number, start, end in zip(distinct, starts, ends, strict=True):
        if number != ALONE:
            members = order[start:end]
            latitude, longitude = latitudes[members].mean(), longitudes[members].mean()
            names[members] = f"around {latitude:.2f}, {longitude:.2f}"
    return names
