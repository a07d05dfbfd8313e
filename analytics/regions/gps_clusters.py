"""GPS clusters: the towns and metropolitan areas that challenges and source rows are from.

Found among both together, so that what is asked can be held against what can be trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from analytics.regions.cluster_centres import (
    ELSEWHERE,
    Centres,
    ClusterSettings,
    Numbers,
    cluster_centres,
    distinct_positions,
    nearest_cluster,
)
from analytics.regions.distances import great_circle_km
from analytics.regions.positions import SOURCE_SCHEMA
from analytics.scoring.metrics import Floats
from data.errors import QueryError

_RADIUS_SHARE = 0.95
# What tells challenges, or source rows, apart.
_IDS = ("challenge_id", "source", "row")


@dataclass(frozen=True)
class GpsCluster:
    """One cluster; shares are 0..1.

    `latitude` and `longitude`, degrees, are its centre: the mean on the sphere of its different
    positions. Within `radius_km` of it lie 95% of its `positions` different ones. `n` challenges
    are its own, a `share` of those with a position, and `roadwork_share` of them have label 1;
    `source_*` is the same of source rows. A share of nothing is None.

    Of a replay, where one was asked about: over `answers` of miners to `predicted` challenges, the
    candidate's `accuracy` and signed `mcc` with their intervals, the pooled miners' MCC on the same
    challenges, the difference's interval, and `reward_lost`: how much more mean reward over the
    whole log it would earn had it answered here as the miners did (see `comparison.slices`).
    """

    name: str
    latitude: float
    longitude: float
    radius_km: float
    positions: int
    n: int
    share: float | None
    roadwork_share: float | None
    source_rows: int
    source_share: float | None
    source_roadwork_share: float | None
    predicted: int = 0
    answers: int = 0
    accuracy: float | None = None
    accuracy_interval: tuple[float, float] | None = None
    mcc: float | None = None
    own_mcc_interval: tuple[float, float] | None = None
    miners_mcc: float | None = None
    mcc_interval: tuple[float, float] | None = None
    reward_lost: float | None = None
    reward_lost_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class LeftOut:
    """How many of `n` challenges, or source rows, are in no cluster, and why."""

    n: int
    without_position: int
    elsewhere: int


@dataclass(frozen=True)
class ClusterReport:
    """The clusters, those with most challenges first, and what is in none of them.

    `members` has a row a challenge of a cluster: challenge_id and the cluster's name;
    `source_members` likewise a row a source row: source, row, cluster. `run_id` is the replay that
    the clusters are scored with, `run_left_out` counts its challenges without a score by reason.
    """

    clusters: list[GpsCluster]
    challenges: LeftOut
    sources: LeftOut
    members: pl.DataFrame
    source_members: pl.DataFrame
    run_id: str | None = None
    run_left_out: dict[str, int] = field(default_factory=dict)


def gps_clusters(
    challenges: pl.DataFrame,
    sources: pl.DataFrame | None = None,
    settings: ClusterSettings = ClusterSettings(),
) -> ClusterReport:
    """The clusters of logged challenges and source rows.

    Args:
        challenges: as `positions.challenge_positions` gives them; a repeated image is a position
            once for where clusters are, and as many challenges as it was sent for their shares.
        sources: as `positions.source_positions` gives them; None where none are known.
        settings: of the clusters.

    Raises:
        QueryError: no challenge and no source row has a position.
    """
    rows = pl.DataFrame(schema=SOURCE_SCHEMA) if sources is None else sources
    sent, trained = (_located(frame) for frame in (challenges, rows))
    if sent.is_empty() and trained.is_empty():
        raise QueryError(
            "GPS clusters",
            found=f"a GPS position in none of {challenges.height} challenges and {rows.height} "
            "source rows",
            expected="some real challenges, or source rows of the public data set",
            remedy="ingest a log of real challenges, or name shards with --sources",
        )
    both = pl.concat([frame.select("latitude", "longitude") for frame in (sent, trained)])
    positions, index = distinct_positions(both["latitude"].to_numpy(), both["longitude"].to_numpy())
    latitudes, longitudes = positions.T
    centres = cluster_centres(latitudes, longitudes, settings)
    of_position = nearest_cluster(centres, latitudes, longitudes, settings.reach_km)
    numbers = of_position[index]
    asked = _Located(sent, numbers[: sent.height])
    known = _Located(trained, numbers[sent.height :])
    clusters = [
        _cluster(name, centre, spread, asked.counts(number), known.counts(number))
        for number, (name, centre, spread) in enumerate(
            zip(
                centres.names,
                zip(centres.latitude.tolist(), centres.longitude.tolist(), strict=True),
                _spread(centres, positions, of_position),
                strict=True,
            )
        )
    ]
    return ClusterReport(
        sorted(clusters, key=lambda cluster: (-cluster.n, -cluster.source_rows, cluster.name)),
        asked.left_out(challenges),
        known.left_out(rows),
        asked.members(centres.names),
        known.members(centres.names),
    )


def _located(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop_nulls(["latitude", "longitude"])


_Counts = tuple[int, float | None, float | None]
"""How many rows, their share of all, and of those with a label the share of 1."""


@dataclass(frozen=True)
class _Located:
    """Rows with a position, and the number of each one's cluster, (n,)."""

    frame: pl.DataFrame
    numbers: Numbers

    def counts(self, number: int) -> _Counts:
        inside = self.numbers == number
        count = int(inside.sum())
        labels = self.frame["label"].filter(pl.Series(inside)).drop_nulls()
        roadwork = int((labels == 1).sum())
        return (
            count,
            count / self.frame.height if self.frame.height else None,
            roadwork / len(labels) if len(labels) else None,
        )

    def left_out(self, whole: pl.DataFrame) -> LeftOut:
        elsewhere = int((self.numbers == ELSEWHERE).sum())
        return LeftOut(whole.height, whole.height - self.frame.height, elsewhere)

    def members(self, names: Sequence[str]) -> pl.DataFrame:
        """What tells the rows inside clusters apart, and their clusters' names."""
        inside = self.numbers != ELSEWHERE
        clusters = [names[number] for number in self.numbers[inside]]
        rows = self.frame.filter(pl.Series(inside, dtype=pl.Boolean))
        named = rows.with_columns(pl.Series("cluster", clusters, dtype=pl.String))
        return named.select(*(name for name in _IDS if name in rows.columns), "cluster")


def _cluster(
    name: str,
    centre: tuple[float, float],
    spread: tuple[float, int],
    asked: _Counts,
    known: _Counts,
) -> GpsCluster:
    return GpsCluster(
        name=name,
        latitude=centre[0],
        longitude=centre[1],
        radius_km=spread[0],
        positions=spread[1],
        n=asked[0],
        share=asked[1],
        roadwork_share=asked[2],
        source_rows=known[0],
        source_share=known[1],
        source_roadwork_share=known[2],
    )


def _spread(centres: Centres, positions: Floats, numbers: Numbers) -> list[tuple[float, int]]:
    """Of each cluster the radius that holds 95% of its different positions, km, and their count."""
    spread: list[tuple[float, int]] = []
    for number in range(len(centres.names)):
        members = positions[numbers == number]
        centre = centres.latitude[number], centres.longitude[number]
        distances = great_circle_km(members[:, 0], members[:, 1], *centre)
        radius = float(np.quantile(distances, _RADIUS_SHARE)) if len(members) else 0.0
        spread.append((radius, len(members)))
    return spread
