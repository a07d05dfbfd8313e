"""Overlap by cluster: counted by hand."""

import polars as pl

from analytics.leaks.cluster_overlap import cluster_overlap


def test_overlapping_challenges_are_counted_in_their_cluster() -> None:
    overlap = pl.DataFrame(
        {"challenge_id": ["p", "q", "r", "s"], "overlaps": [True, False, True, True]}
    )
    members = pl.DataFrame({"challenge_id": ["p", "q", "r", "t"], "cluster": ["a", "a", "a", "b"]})
    assert cluster_overlap(overlap, members) == {"a": 2, "b": 0}
