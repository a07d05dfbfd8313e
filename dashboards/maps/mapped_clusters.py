"""What the map of GPS clusters shows, computed once for a version of the store."""

from dataclasses import dataclass, replace

import streamlit as st

from analytics.leaks.cluster_overlap import cluster_overlap
from analytics.leaks.training_overlap import challenge_overlap
from analytics.queries.cluster_shares import EraShare, challenge_images, era_shares
from analytics.regions.cluster_weights import WeightedClusters, cluster_weights, row_weights
from analytics.regions.gps_clusters import ClusterReport, GpsCluster, gps_clusters
from analytics.regions.positions import challenge_positions, source_positions
from analytics.warehouse.connection import reading
from dashboards.parts.store_access import Version
from data.errors import QueryError, RunError
from data.sources.shards import open_shards
from replay.comparing.clusters import scored_clusters
from replay.comparing.loaded_answers import RunAnswers, run_answers
from replay.runs.training_rows import trained_on


@dataclass(frozen=True)
class MappedClusters:
    """The clusters, their shares by era, and what weights and training rows have to do with them.

    `overlap` counts challenges of each cluster that overlap with training rows of the replay's
    candidate; None where these are unknown. `unscored` says why a replay gave no scores.
    """

    report: ClusterReport
    shares: list[EraShare]
    weights: WeightedClusters
    overlap: dict[str, int] | None = None
    unscored: str | None = None

    @property
    def clusters(self) -> list[GpsCluster]:
        """Those with most challenges first."""
        return self.report.clusters


@dataclass(frozen=True)
class _Scores:
    """Of a replay; `answers` is None where no miner was asked what it predicted."""

    answers: RunAnswers | None
    overlap: dict[str, int] | None = None
    unscored: str | None = None


@st.cache_data(max_entries=8, show_spinner="Finding clusters …")
def mapped_clusters(version: Version, run_id: str | None) -> MappedClusters:
    """The clusters of a store, scored with a replay if one is named.

    Args:
        version: of warehouse and sources.
        run_id: of the replay.

    Raises:
        QueryError: nothing has a position.
        SourceError: a shard cannot be read.
    """
    store = version.store
    shards = open_shards(store.sources, required=False)
    rows = source_positions(shards) if len(shards) else None
    with reading(version.store) as connection:
        positions = challenge_positions(connection)
        images, weights = challenge_images(connection), row_weights(connection)
    report = gps_clusters(positions, rows)
    scores = _Scores(None) if run_id is None else _scores(version, report, run_id)
    if scores.answers is not None:
        report = scored_clusters(report, scores.answers)
    return MappedClusters(
        # a million members are not to be copied at every click
        report=replace(
            report, members=report.members.clear(), source_members=report.source_members.clear()
        ),
        shares=era_shares(images, report.members),
        weights=cluster_weights(weights, report.source_members),
        overlap=scores.overlap,
        unscored=scores.unscored,
    )


def _scores(version: Version, report: ClusterReport, run_id: str) -> _Scores:
    training = trained_on(version.store, run_id).rows
    with reading(version.store) as connection:
        try:
            answers = run_answers(connection, run_id, training)
        except (RunError, QueryError) as error:
            return _Scores(None, unscored=str(error))
        overlap = None
        if training is not None:
            overlap = cluster_overlap(challenge_overlap(connection, training), report.members)
    return _Scores(answers, overlap)
