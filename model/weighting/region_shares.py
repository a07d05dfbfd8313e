"""What part of the weight is in each region, beside its part of the rows and of the log."""

import math
from dataclasses import dataclass

import numpy as np

from analytics.regions.distances import haversine_km, haversines, unit_vectors
from analytics.scoring.metrics import Floats
from model.weighting.evidence import Evidence
from model.weighting.policy import GpsPolicy
from model.weighting.targets import places


@dataclass(frozen=True)
class RegionShare:
    """A cluster of the log, or a place of the policy, within the nearest tier's distance.

    Shares, 0..1, are of all challenges with GPS, of the `with_gps` rows that have it, and of their
    weight; regions that overlap share rows. `log_share` is None for a place of the policy.
    """

    name: str
    is_target: bool
    log_share: float | None
    row_share: float
    weight_share: float
    rows: int
    with_gps: int


def region_shares(evidence: Evidence, weight: Floats, policy: GpsPolicy) -> list[RegionShare]:
    """The shares of every place, targets first, then by their part of the log.

    Args:
        evidence: its rows, its log and its clusters.
        weight: (rows,), in order of `source` and `row`, as `weigh` makes them.
        policy: how far a region reaches, and what makes it a target.

    Raises:
        RunError: no row has GPS.
    """
    rows = evidence.rows.sort("source", "row")
    known = rows["latitude"].is_not_null().to_numpy() & rows["longitude"].is_not_null().to_numpy()
    positions = rows.select("latitude", "longitude").filter(known)
    vectors = unit_vectors(positions["latitude"].to_numpy(), positions["longitude"].to_numpy())
    weights = np.asarray(weight)[known]
    total, shares = math.fsum(weights), []
    for place in places(evidence.clusters, evidence.logged, rows, policy):
        other = unit_vectors(place.latitude, place.longitude)
        near = haversine_km(haversines(vectors, other)) <= policy.near_km
        shares.append(
            RegionShare(
                name=place.name,
                is_target=place.is_target,
                log_share=place.log_share,
                row_share=place.row_share,
                weight_share=math.fsum(weights[near]) / total if total > 0 else 0.0,
                rows=int(near.sum()),
                with_gps=len(weights),
            )
        )
    return sorted(
        shares, key=lambda share: (not share.is_target, -(share.log_share or 0.0), share.name)
    )
