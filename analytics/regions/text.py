"""GPS clusters as printed tables."""

from analytics.regions.gps_clusters import ClusterReport, GpsCluster, LeftOut
from data.terminal import note, print_table, say


def print_clusters(report: ClusterReport) -> None:
    """Print the clusters, what is in none of them, and how a replay did in each."""
    say(_in_words(report.challenges, "challenges", len(report.clusters)))
    say(_in_words(report.sources, "source rows", len(report.clusters)))
    if not report.clusters:
        note("no cluster: too few different positions lie together")
        return
    print_table(
        "GPS clusters",
        (
            "cluster", "latitude", "longitude", "95% within km", "positions",
            "challenges", "share", "roadwork", "source rows", "share", "roadwork",
        ),
        [_place(cluster) for cluster in report.clusters],
    )  # fmt: skip
    if report.run_id is not None:
        left_out = "".join(f", {n} {reason}" for reason, n in report.run_left_out.items())
        note(f"{report.run_id}: left out {sum(report.run_left_out.values())} challenges{left_out}")
        print_table(
            f"{report.run_id} by cluster (MCC 95%: of the difference to the pooled miners)",
            ("cluster", "challenges", "answers", "MCC", "miners", "MCC 95%", "reward lost", "95%"),
            [_score(cluster) for cluster in report.clusters],
        )


def _in_words(counts: LeftOut, what: str, clusters: int) -> str:
    inside = counts.n - counts.without_position - counts.elsewhere
    return (
        f"{counts.n} {what}: {inside} in {clusters} clusters, {counts.elsewhere} elsewhere, "
        f"{counts.without_position} without a position"
    )


def _place(cluster: GpsCluster) -> tuple[object, ...]:
    return (
        cluster.name,
        f"{cluster.latitude:.3f}",
        f"{cluster.longitude:.3f}",
        cluster.radius_km,
        cluster.positions,
        cluster.n,
        cluster.share,
        cluster.roadwork_share,
        cluster.source_rows,
        cluster.source_share,
        cluster.source_roadwork_share,
    )


def _score(cluster: GpsCluster) -> tuple[object, ...]:
    return (
        cluster.name,
        cluster.predicted,
        cluster.answers,
        cluster.mcc,
        cluster.miners_mcc,
        _ends(cluster.mcc_interval),
        cluster.reward_lost,
        _ends(cluster.reward_lost_interval),
    )


def _ends(interval: tuple[float, float] | None) -> str | None:
    return None if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}"
