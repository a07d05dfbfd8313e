"""What the map of GPS clusters shows, computed once for a version of the store."""

from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from analytics.leaks.cluster_overlap import cluster_overlap
from analytics.leaks.training_overlap import challenge_overlap
from analytics.queries.cluster_shares import EraShare, challenge_images, era_shares
from analytics.regions.cluster_weights import WeightedClusters, cluster_weights, row_weights
from analytics.regions.gps_clusters import ClusterReport, GpsCluster, gps_clusters
from analytics.regions.positions import challenge_positions, source_positions
from dashboards.parts.page_connection import page_reading
from dashboards.parts.store_access import Version
from dashboards.parts.work_beside_page import Work, draw_work
from data.sources.shards import open_shards
from replay.comparing.background import last_clusters, start_clusters
from replay.comparing.clusters import with_scores
from replay.comparing.kept_clusters import clusters_basis, kept_clusters
from replay.runs.training_rows import trained_on


@dataclass(frozen=True)
class MappedClusters:
    """The clusters, their shares by era, and what weights and training rows have to do with them.

    `overlap` counts challenges of each cluster that overlap with training rows of the replay's
    candidate; None where these are unknown.
    """

    report: ClusterReport
    shares: list[EraShare]
    weights: WeightedClusters
    overlap: dict[str, int] | None = None

    @property
    def clusters(self) -> list[GpsCluster]:
        """Those with most challenges first."""
        return self.report.clusters


@st.cache_data(max_entries=8, show_spinner="Finding clusters …")
def mapped_clusters(version: Version, run_id: str | None) -> MappedClusters:
    """The clusters of a store, without scores.

    Args:
        version: of warehouse and sources.
        run_id: of the replay whose training rows may overlap with them.

    Raises:
        QueryError: nothing has a position.
        SourceError: a shard cannot be read.
    """
    store = version.store
    shards = open_shards(store.sources_place, required=False)
    rows = source_positions(shards) if len(shards) else None
    with page_reading(version.store) as connection:
        positions = challenge_positions(connection)
        images, weights = challenge_images(connection), row_weights(connection)
    report = gps_clusters(positions, rows)
    return MappedClusters(
        # a million members are not to be copied at every click
        report=replace(
            report, members=report.members.clear(), source_members=report.source_members.clear()
        ),
        shares=era_shares(images, report.members),
        weights=cluster_weights(weights, report.source_members),
        overlap=None if run_id is None else _overlap(version, report, run_id),
    )


def clusters_with_scores(version: Version, mapped: MappedClusters, run_id: str) -> MappedClusters:
    """The same clusters with the scores of a replay, where they are kept with it.

    Where they are not, they are computed beside the page, and the page drawn anew when they are
    there.
    """
    basis = _basis(version, run_id)
    kept = kept_clusters(version.store, run_id, basis)
    if kept is not None:
        st.caption(f"Scored {kept.made:%Y-%m-%d %H:%M} UTC, on all that the store holds now.")
        return replace(mapped, report=with_scores(mapped.report, kept, run_id))
    draw_work(
        Work(
            name="Scoring every cluster",
            key=f"clusters {run_id}",
            basis=basis,
            start=partial(start_clusters, version.store, run_id),
            last=partial(last_clusters, version.store, run_id),
        )
    )
    return mapped


@st.cache_data(max_entries=8, show_spinner=False)
def _basis(version: Version, run_id: str) -> str:
    store = version.store
    with page_reading(store) as connection:
        return clusters_basis(connection, run_id, trained_on(store, run_id), store.sources_place)


def _overlap(version: Version, report: ClusterReport, run_id: str) -> dict[str, int] | None:
    training = trained_on(version.store, run_id).rows
    if training is None:
        return None
    with page_reading(version.store) as connection:
        return cluster_overlap(challenge_overlap(connection, training), report.members)
