"""Places that lie together, from positions alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from analytics.scoring.metrics import Floats
from data.records.cities import EARTH_KILOMETRES

ALONE = -1


@dataclass(frozen=True)
class ClusterSettings:
    """Positions within `kilometres` of one another chain into a cluster of at least `least`
    different ones; others stand alone."""

    kilometres: float = 2.0
    least: int = 5


def gps_clusters(
    latitudes: Floats, longitudes: Floats, settings: ClusterSettings = ClusterSettings()
) -> NDArray[np.int64]:
    """The cluster of each position, (n,), from 0 on by their first position; -1 for those alone.

    DBSCAN (Ester et al. 1996) over great-circle distances between different positions: repeats of
    an image make no place denser.

    Args:
        latitudes: degrees, (n,).
        longitudes: degrees, (n,).
        settings: how near, and how many.
    """
    if not len(latitudes):
        return np.empty(0, np.int64)
    different, places = np.unique(np.stack([latitudes, longitudes], 1), axis=0, return_inverse=True)
    near = settings.kilometres / EARTH_KILOMETRES
    found = DBSCAN(eps=near, min_samples=settings.least, metric="haversine", algorithm="ball_tree")
    labels = found.fit_predict(np.radians(different))
    clusters: NDArray[np.int64] = labels[places.ravel()].astype(np.int64)
    return clusters


def cluster_names(
    latitudes: Floats, longitudes: Floats, clusters: NDArray[np.int64]
) -> NDArray[np.str_]:
    """A name for each position's cluster, its middle to 0.01 degrees; `alone` without one."""
    names = np.full(len(clusters), "alone", dtype="U32")
    for cluster in np.unique(clusters[clusters != ALONE]):
        members = clusters == cluster
        middle = (latitudes[members].mean(), longitudes[members].mean())
        names[members] = f"around {middle[0]:.2f}, {middle[1]:.2f}"
    return names
