"""Target places: where challenges come from that rows are to be like, and how far rows are off."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.comparison.intervals import wilson_interval
from analytics.regions.distances import haversine_km, haversines, unit_vectors
from analytics.scoring.metrics import Floats
from data.errors import RunError
from model.weighting.policy import GpsPolicy

_LEVEL = 0.95


@dataclass(frozen=True)
class Place:
    """A cluster of logged challenges, or a place that the policy names.

    `log_share` and `row_share`, 0..1, are of the challenges and rows with GPS within the nearest
    tier's distance of its centre; `log_low` is the lower end of an interval of the first, which
    holds for all clusters at once at 95%. `is_target`: rows near it are weighted up.
    """

    name: str
    latitude: float
    longitude: float
    log_share: float | None
    log_low: float | None
    row_share: float
    is_target: bool


def places(
    clusters: pl.DataFrame, logged: pl.DataFrame, rows: pl.DataFrame, policy: GpsPolicy
) -> list[Place]:
    """The places that the policy names, all targets; where it names none, every cluster.

    Of these, targets are those whose share of the log is surely `least_lift` times that of the
    rows; the interval (Wilson's, Bonferroni's level) keeps chance from making one.

    Args:
        clusters: as `Evidence.clusters`.
        logged: as `Evidence.logged`.
        rows: as `Evidence.rows`.
        policy: of the factor.

    Raises:
        RunError: no row has GPS.
    """
    row_places = _positions(rows)
    if not row_places.size:
        raise RunError(
            f"GPS of {rows.height} source rows",
            found="none that is known",
            expected="some, to weight rows by place",
            remedy="name other --sources, or a --policy with use = false in its table [gps]",
        )
    if policy.latitudes:
        return [
            Place(
                name=f"given {latitude:.2f}, {longitude:.2f}",
                latitude=latitude,
                longitude=longitude,
                log_share=None,
                log_low=None,
                row_share=_share_near(row_places, latitude, longitude, policy.near_km)[0],
                is_target=True,
            )
            for latitude, longitude in zip(policy.latitudes, policy.longitudes, strict=True)
        ]
    log_places = _positions(logged)
    level = 1 - (1 - _LEVEL) / max(1, clusters.height)
    return [
        _cluster(name, latitude, longitude, log_places, row_places, level, policy)
        for name, latitude, longitude in clusters.select(
            "name", "latitude", "longitude"
        ).iter_rows()
    ]


def nearest_km(rows: pl.DataFrame, targets: list[Place]) -> Floats:
    """Kilometres from each row to the nearest target, (rows,); NaN where it has no GPS."""
    latitude, longitude = (
        rows[name].fill_null(np.nan).to_numpy() for name in ("latitude", "longitude")
    )
    if not targets:
        return np.full(rows.height, np.inf)
    vectors = unit_vectors(latitude, longitude)
    nearest = np.full(rows.height, np.inf)
    # one after the other: rows times targets would not fit into memory
    for target in targets:
        other = unit_vectors(target.latitude, target.longitude)
        nearest = np.minimum(nearest, haversines(vectors, other))
    return haversine_km(nearest)


def tiers(distance: Floats, policy: GpsPolicy) -> Floats:
    """The factor of each distance in kilometres, (rows,); a tier holds its own bound."""
    factor = np.select(
        [
            np.isnan(distance),
            distance <= policy.near_km,
            distance <= policy.middle_km,
            distance <= policy.far_km,
        ],
        [policy.unknown, policy.near, policy.middle, policy.far],
        policy.beyond,
    )
    return factor.astype(np.float64)


def _cluster(
    name: str,
    latitude: float,
    longitude: float,
    logged: Floats,
    rows: Floats,
    level: float,
    policy: GpsPolicy,
) -> Place:
    log_share, near, all_logged = _share_near(logged, latitude, longitude, policy.near_km)
    row_share = _share_near(rows, latitude, longitude, policy.near_km)[0]
    low = wilson_interval(near, all_logged, level)[0]
    return Place(
        name=name,
        latitude=latitude,
        longitude=longitude,
        log_share=log_share,
        log_low=low,
        row_share=row_share,
        is_target=near > 0 and low >= policy.least_lift * row_share,
    )


def _share_near(
    vectors: Floats, latitude: float, longitude: float, km: float
) -> tuple[float, int, int]:
    """The share of places, (3, n), within so far of another, their number, and n."""
    count = vectors.shape[1]
    distance = haversine_km(haversines(vectors, unit_vectors(latitude, longitude)))
    near = int((distance <= km).sum())
    return near / max(1, count), near, count


def _positions(frame: pl.DataFrame) -> Floats:
    """The rows that have GPS as points of the unit sphere, (3, n)."""
    known = frame.select("latitude", "longitude").drop_nulls()
    return unit_vectors(known["latitude"].to_numpy(), known["longitude"].to_numpy())
