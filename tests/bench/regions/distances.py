"""Distances of a million rows against geopy's loop, and GPS clusters of as many."""

import time

import numpy as np
from geopy.distance import geodesic, great_circle

from analytics.regions.cluster_centres import cluster_centres, nearest_cluster
from analytics.regions.distances import great_circle_km
from analytics.scoring.metrics import Floats
from data.records.cities import CITIES
from data.terminal import print_table, say

ROWS, LOOPED, REPEATS = 1_000_000, 20_000, 5
_SCATTER_DEGREES = 0.06


def positions(rows: int) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of so many rows, scattered around the data set's cities."""
    rng = np.random.default_rng(0)
    places = np.array(list(CITIES.values()))[rng.integers(len(CITIES), size=rows)]
    latitudes, longitudes = (places + rng.normal(0, _SCATTER_DEGREES, places.shape)).T
    return latitudes, longitudes


def main() -> None:
    """Print microseconds a row, ratios, and the largest difference to geopy's geodesic."""
    latitudes, longitudes = positions(ROWS)
    target = CITIES["phoenix"]
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        distances = great_circle_km(latitudes, longitudes, *target)
        times.append(time.perf_counter() - start)
    ours = float(np.median(times)) / ROWS
    rows: list[tuple[object, ...]] = [("great_circle_km", ROWS, 1e6 * ours, 1.0, None)]
    looped = list(zip(latitudes[:LOOPED].tolist(), longitudes[:LOOPED].tolist(), strict=True))
    for name, measure in (("geopy geodesic", geodesic), ("geopy great_circle", great_circle)):
        start = time.perf_counter()
        truth = np.array([measure(place, target).km for place in looped])
        seconds = (time.perf_counter() - start) / LOOPED
        off = float(np.max(np.abs(distances[:LOOPED] - truth) / truth))
        rows.append((name, LOOPED, 1e6 * seconds, seconds / ours, off))
    print_table(
        "distances to one place",
        ("by", "rows", "microseconds a row", "times ours", "ours off by at most"),
        rows,
    )
    start = time.perf_counter()
    centres = cluster_centres(latitudes, longitudes)
    found = time.perf_counter() - start
    nearest_cluster(centres, latitudes, longitudes)
    whole = time.perf_counter() - start
    say(f"{len(centres.names)} clusters of {ROWS} rows in {found:.1f} s, of each row {whole:.1f} s")


if __name__ == "__main__":
    main()
