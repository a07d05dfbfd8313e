"""GPS clusters of a store, and how a replay did in each: MCC beside the miners, reward lost.

`python -m replay.comparing.clusters STORE RUN` keeps the scores with the run, beside a page.
"""

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

from analytics.regions.gps_clusters import ClusterReport, GpsCluster, gps_clusters
from analytics.regions.positions import challenge_positions, source_positions
from analytics.slices.members import slice_members
from analytics.slices.scores import Slice, SliceSettings, slices
from analytics.warehouse.connection import reading
from data.remote_store.opening import open_store, sending_back
from data.sources.shards import open_shards
from data.store import Store
from replay.comparing.kept_clusters import (
    KeptClusters,
    clusters_basis,
    keep_clusters,
    kept_clusters,
)
from replay.comparing.loaded_answers import LATEST, RunAnswers, find_run, run_answers
from replay.runs.training_rows import trained_on

NO_RUN = "none"

_FIELD = "GPS cluster"


@dataclass(frozen=True)
class ScoredRun:
    """The replay that clusters are scored with: a run id, `latest` or `none`.

    None: the latest, if there is one. `training_file` is read in place of the training rows that
    the run keeps.
    """

    run: str | None = None
    training_file: Path | None = None


def cluster_report(
    store: Store,
    scored: ScoredRun = ScoredRun(),
    sources: str | None = None,
    settings: SliceSettings = SliceSettings(),
) -> ClusterReport:
    """The clusters of a store's challenges and source rows, scored with a replay if there is one.

    The scores are kept with the run; those kept on the same basis are not computed again.

    Args:
        store: of the log.
        scored: which replay.
        sources: a folder of shards, or its URL; None: the store's own, where it has one.
        settings: of the intervals.

    Raises:
        QueryError: nothing has a position.
        RunError: there is no such replay, or no miner was asked what it predicted.
        SourceError: the named folder or a shard cannot be read.
        StoreError: the store holds no warehouse.
    """
    shards = open_shards(sources or store.sources_place, required=sources is not None)
    rows = source_positions(shards) if len(shards) else None
    with reading(store) as connection:
        report = gps_clusters(challenge_positions(connection), rows)
        run = _run(connection, scored)
        if run is None:
            return report
        trained = trained_on(store, run, scored.training_file)
        basis = clusters_basis(connection, run, trained, shards.folder, settings)
        kept = kept_clusters(store, run, basis)
        if kept is not None:
            return with_scores(report, kept, run)
        answers = run_answers(connection, run, trained.rows)
    made = datetime.now(UTC).replace(microsecond=0)
    scores = cluster_scores(report, answers, settings)
    kept = KeptClusters(basis, made, scores, answers.left_out)
    keep_clusters(store, run, kept)
    return with_scores(report, kept, run)


def cluster_scores(
    report: ClusterReport, answers: RunAnswers, settings: SliceSettings = SliceSettings()
) -> dict[str, Slice]:
    """A replay's score in each cluster, by its name; none in one that miners never answered.

    Args:
        report: clusters of the log's challenges.
        answers: the replay, less what its candidate was trained on.
        settings: of the intervals.
    """
    numbers = {cluster.name: number for number, cluster in enumerate(report.clusters)}
    named = dict(report.members.iter_rows())
    ids = answers.challenges["challenge_id"]
    number_of = np.array(
        [numbers.get(named.get(challenge_id, ""), -1) for challenge_id in ids], np.int32
    )
    placed = np.flatnonzero(number_of >= 0)
    values = [(_FIELD, name) for name in numbers]
    members = slice_members(values, len(ids), placed, number_of[placed])
    return {part.value: part for part in slices(answers.paired, members, settings)}


def with_scores(report: ClusterReport, kept: KeptClusters, run_id: str) -> ClusterReport:
    """The same clusters with the scores of a run; one that has none keeps none."""
    return replace(
        report,
        clusters=[_scored(cluster, kept.scores.get(cluster.name)) for cluster in report.clusters],
        run_id=run_id,
        run_left_out=kept.left_out,
    )


def _run(connection: duckdb.DuckDBPyConnection, scored: ScoredRun) -> str | None:
    if scored.run == NO_RUN:
        return None
    if scored.run is None and not connection.execute("FROM replay_runs LIMIT 1").fetchall():
        return None
    run_id: str = find_run(connection, scored.run or LATEST)["run_id"]
    return run_id


def _scored(cluster: GpsCluster, score: Slice | None) -> GpsCluster:
    if score is None:
        return cluster
    return replace(
        cluster,
        predicted=score.challenges,
        answers=score.n,
        accuracy=score.accuracy,
        accuracy_interval=score.own_accuracy_interval,
        mcc=score.mcc,
        own_mcc_interval=score.own_mcc_interval,
        miners_mcc=score.miners_mcc,
        mcc_interval=score.mcc_interval,
        reward_lost=score.cost,
        reward_lost_interval=score.cost_interval,
    )


if __name__ == "__main__":
    root, run_id = sys.argv[1:]
    with sending_back():
        cluster_report(open_store(Path(root)), ScoredRun(run_id))
