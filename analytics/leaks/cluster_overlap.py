"""How many challenges of each GPS cluster overlap with a candidate's training rows."""

import polars as pl


def cluster_overlap(overlap: pl.DataFrame, members: pl.DataFrame) -> dict[str, int]:
    """Overlapping challenges by cluster; a cluster without one has 0.

    Args:
        overlap: as `training_overlap.challenge_overlap` gives it.
        members: challenge_id and cluster, as a `ClusterReport` holds them.
    """
    joined = members.join(overlap.select("challenge_id", "overlaps"), on="challenge_id", how="left")
    counts = joined.group_by("cluster").agg(pl.col("overlaps").fill_null(False).sum())
    return {name: int(count) for name, count in counts.sort("cluster").iter_rows()}
