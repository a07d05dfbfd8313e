"""The scores of GPS clusters kept in the folder of their run, as `kept_comparison` keeps others."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

import duckdb

from analytics.slices.scores import Slice, SliceSettings
from data.kept_values import keep, read_kept
from data.sources.folder_listing import listing_sha256
from data.sources.source_path import SourcePath
from data.store import Store
from replay.comparing.kept_comparison import Asked, comparison_basis, comparisons_folder
from replay.runs.training_rows import TrainedOn

_FILE = "gps-clusters.json"


@dataclass(frozen=True)
class KeptClusters:
    """A run's score in each cluster, by its name, on a basis.

    `made` is in UTC; `left_out` counts challenges without a score by reason.
    """

    basis: str
    made: datetime
    scores: dict[str, Slice]
    left_out: dict[str, int]


def clusters_basis(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    trained: TrainedOn,
    sources: SourcePath,
    settings: SliceSettings = SliceSettings(),
) -> str:
    """A hash of all that the scores rest on: logs, run, training rows, source rows, settings.

    Raises:
        RunError: there is no such run.
    """
    shown = asdict(settings)
    # threads change the time, never a number
    del shown["bootstrap"]["threads"]
    parts = (
        comparison_basis(connection, Asked(run_id), [trained]),
        listing_sha256(sources),
        repr(shown),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def kept_clusters(store: Store, run_id: str, basis: str) -> KeptClusters | None:
    """The scores that are kept on this basis; None without them."""
    kept = read_kept(comparisons_folder(store, run_id) / _FILE, KeptClusters)
    return kept if kept is not None and kept.basis == basis else None


def keep_clusters(store: Store, run_id: str, kept: KeptClusters) -> None:
    """Keep the scores of a run's clusters, in place of older ones."""
    keep(comparisons_folder(store, run_id) / _FILE, kept)
