"""Clusters of GPS positions that lie near each other, by DBSCAN."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from analytics.scoring.metrics import Floats
from data.records.cities import EARTH_KILOMETRES

UNCLUSTERED = -1
"""The number of a position that belongs to no cluster."""


@dataclass(frozen=True)
class ClusterSettings:
    """DBSCAN's radius in kilometres, and how many different positions within it make a cluster."""

    radius_km: float = 2.0
    min_positions: int = 5


def gps_clusters(
    latitudes: Floats, longitudes: Floats, settings: ClusterSettings = ClusterSettings()
) -> NDArray[np.int64]:
    """The cluster of each position, (n,): numbers from 0 on, -1 for a position of no cluster.

    DBSCAN (Ester et al. 1996) over great-circle distances between distinct positions: repeats of an
    image make no cluster denser.

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
    clusters: NDArray[np.int64] = labels[index.ravel()].astype(np.int64)
    return clusters


def cluster_names(
    latitudes: Floats, longitudes: Floats, clusters: NDArray[np.int64]
) -> NDArray[np.str_]:
    """A name for each position's cluster: its mean position to 0.01 degrees, or `alone`."""
    names = np.full(len(clusters), "alone", dtype="U32")
    for cluster in np.unique(clusters[clusters != UNCLUSTERED]):
        members = clusters == cluster
        latitude, longitude = latitudes[members].mean(), longitudes[members].mean()
        names[members] = f"around {latitude:.2f}, {longitude:.2f}"
    return names
