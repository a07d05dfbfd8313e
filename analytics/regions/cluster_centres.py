"""Where the clusters of GPS positions are, and which cluster a position is nearest to.

By HDBSCAN (Campello et al. 2013) on the sphere, its hierarchy cut at one distance. K-means on unit
vectors with k by silhouette cannot find a lone town, spends clusters on strays, takes a hundred
times as long, and ends where the last bits of the local BLAS lead it.
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN
from sklearn.neighbors import KDTree

from analytics.regions.distances import unit_vectors
from analytics.scoring.metrics import Floats
from data.records.cities import CITIES, CITY_KILOMETRES, EARTH_KILOMETRES, kilometres
from data.settings import setting

ELSEWHERE = -1
"""The number of a position within reach of no cluster."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class ClusterSettings:
    """How positions become clusters."""

    min_positions: int = setting(5, "least different positions in a cluster", least=2)
    merge_km: float = setting(50.0, "clusters nearer than this are one, km", least=0.0)
    reach_km: float = setting(
        CITY_KILOMETRES,
        "how far from a cluster's centre a position still belongs to it, km",
        above=0,
    )
    most_positions: int = setting(
        5_000, "different positions that clusters are found among, drawn at random", least=10
    )
    seed: int = setting(0, "of that draw", least=0)


@dataclass(frozen=True)
class Centres:
    """Cluster centres in degrees, two arrays (k,), and their names, from north to south."""

    latitude: Floats
    longitude: Floats
    names: tuple[str, ...]


def cluster_centres(
    latitudes: Floats, longitudes: Floats, settings: ClusterSettings = ClusterSettings()
) -> Centres:
    """The clusters of positions: the same in any order of rows, repeats counting once.

    Args:
        latitudes: degrees, (n,), finite.
        longitudes: degrees, (n,), finite.
        settings: of HDBSCAN, and of the sample that a million rows are reduced to.

    Returns:
        None of a cluster where no `min_positions` different positions lie together.
    """
    positions, _ = distinct_positions(latitudes, longitudes)
    if len(positions) > settings.most_positions:
        rng = np.random.default_rng(settings.seed)
        chosen = rng.choice(len(positions), settings.most_positions, replace=False)
        positions = positions[np.sort(chosen)]
    if len(positions) < settings.min_positions:
        return Centres(np.empty(0), np.empty(0), ())
    # chords grow with the distance on the sphere, and take a fifth of the haversine's time
    scan = HDBSCAN(min_cluster_size=settings.min_positions, algorithm="kd_tree", copy=True)
    scan.fit(_points(positions))
    # A cut of the hierarchy: what `labels_` selects splits a town into its densest quarters, and
    # leaves far strays in the branch that they fell off.
    labels = scan.dbscan_clustering(_chord(settings.merge_km), settings.min_positions)
    centres = [_centre(positions[labels == number]) for number in range(labels.max() + 1)]
    centres.sort(key=lambda centre: (-centre[0], centre[1]))
    named = np.array(centres).reshape(-1, 2)
    return Centres(named[:, 0], named[:, 1], _names(centres))


def nearest_cluster(
    centres: Centres, latitudes: Floats, longitudes: Floats, reach_km: float = CITY_KILOMETRES
) -> Numbers:
    """The index of each position's nearest centre, (n,); `ELSEWHERE` beyond `reach_km`."""
    numbers = np.full(len(latitudes), ELSEWHERE, np.int64)
    if not len(centres.names) or not len(latitudes):
        return numbers
    places, index = distinct_positions(latitudes, longitudes)
    tree = KDTree(_points(np.stack([centres.latitude, centres.longitude], 1)))
    chords, nearest = tree.query(_points(places), k=1)
    within = chords[:, 0] <= _chord(reach_km)
    numbers[:] = np.where(within, nearest[:, 0], ELSEWHERE)[index]
    return numbers


def _points(positions: Floats) -> Floats:
    """Positions (n, 2) in degrees as points of the unit sphere, (n, 3)."""
    return np.ascontiguousarray(unit_vectors(positions[:, 0], positions[:, 1]).T)


def _chord(kilometres_apart: float) -> float:
    """The straight line, in radii, between places so far apart on the sphere."""
    half = min(kilometres_apart / EARTH_KILOMETRES, math.pi) / 2
    return 2 * math.sin(half)


def distinct_positions(latitudes: Floats, longitudes: Floats) -> tuple[Floats, Numbers]:
    """The different positions, (m, 2) in order, and the row of each of n positions there, (n,)."""
    # as complex numbers, which numpy sorts twenty times as fast as rows of two
    packed, index = np.unique(latitudes + 1j * longitudes, return_inverse=True)
    return np.stack([packed.real, packed.imag], 1), index.astype(np.int64)


def _centre(positions: Floats) -> tuple[float, float]:
    """The mean of positions on the sphere, degrees: the direction of the sum of unit vectors."""
    north, east = np.radians(positions).T
    x, y, z = np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)
    across = np.hypot(x.sum(), y.sum())
    latitude = np.degrees(np.arctan2(z.sum(), across))
    longitude = np.degrees(np.arctan2(y.sum(), x.sum()))
    return float(latitude), float(longitude)


def _names(centres: list[tuple[float, float]]) -> tuple[str, ...]:
    """The nearest city of the data set, numbered where several share one; else the place."""
    nearest = [
        min((kilometres(*centre, *place), city) for city, place in CITIES.items())
        for centre in centres
    ]
    names = [f"around {latitude:.2f}, {longitude:.2f}" for latitude, longitude in centres]
    shared: Counter[str] = Counter()
    # the one nearest to a city bears its bare name
    for index in sorted(range(len(centres)), key=lambda index: nearest[index]):
        far, city = nearest[index]
        if far <= CITY_KILOMETRES:
            shared[city] += 1
            names[index] = city if shared[city] == 1 else f"{city} ({shared[city]})"
    return tuple(names)
