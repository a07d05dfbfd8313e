"""The relation `gps_clusters`: what the command of that name found last."""

from collections.abc import Iterator
from typing import Any

from analytics.regions.gps_clusters import ClusterReport, GpsCluster
from analytics.warehouse.connection import writing
from analytics.warehouse.rows import append_rows
from data.store import Store

ELSEWHERE, NO_POSITION = "elsewhere", "no position"

_WITH_INTERVALS = ("accuracy", "own_mcc", "mcc", "reward_lost")
"""Of GpsCluster: `<name>_interval` becomes `<name>_low` and `<name>_high`."""


def publish_clusters(store: Store, report: ClusterReport) -> None:
    """Put clusters into the warehouse, in place of those of an earlier time; readers see no half.

    Args:
        store: whose warehouse they are of.
        report: the clusters, and what is in none.

    Raises:
        StoreError: another process writes, or the warehouse cannot be written.
    """
    with writing(store) as writer:
        before = writer.connection.execute("SELECT * FROM gps_clusters").fetchall()
        writer.connection.execute("DELETE FROM gps_clusters")
        append_rows(writer.connection, "gps_clusters", list(_rows(report)))
        after = writer.connection.execute("SELECT * FROM gps_clusters").fetchall()
        writer.changed = before != after


def _rows(report: ClusterReport) -> Iterator[dict[str, Any]]:
    for cluster in report.clusters:
        yield _row(cluster) | {"run_id": report.run_id}
    sent, trained = report.challenges, report.sources
    yield {"name": ELSEWHERE, "n": sent.elsewhere, "source_rows": trained.elsewhere}
    yield {
        "name": NO_POSITION,
        "n": sent.without_position,
        "source_rows": trained.without_position,
    }


def _row(cluster: GpsCluster) -> dict[str, Any]:
    values = dict(vars(cluster))
    for name in _WITH_INTERVALS:
        low, high = values.pop(f"{name}_interval") or (None, None)
        values |= {f"{name}_low": low, f"{name}_high": high}
    return values
