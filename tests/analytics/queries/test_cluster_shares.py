"""Clusters' shares by era against SQL by hand, and their changes against scipy."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from scipy import stats

from analytics.comparison.intervals import newcombe_interval
from analytics.queries.cluster_shares import EraShare, challenge_images, era_shares
from analytics.warehouse.connection import reading, writing
from data.store import Store

# 120 challenges on 40 images of two eras; challenge 7 of each ten has no position.
MEDIA = """
INSERT INTO media (
    challenge_id, file, position, era, era_candidates, label, parquet, row,
    flip_horizontal, flip_vertical, gps_lat, gps_lon
)
SELECT 'c' || i, 'f', i, CASE WHEN i < 60 THEN 'E9' ELSE 'E10' END, ['E9'], i % 2, 's.parquet',
    i % 40, false, false,
    CASE WHEN i % 10 <> 7 THEN 40 END, CASE WHEN i % 10 <> 7 THEN -75 END
FROM range(120) AS t (i);
CREATE TABLE members AS
SELECT challenge_id, CASE WHEN row < 10 + (position > 60)::INT * 15 THEN 'a' ELSE 'b' END AS cluster
FROM media WHERE gps_lat IS NOT NULL AND row <> 39;
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    store = Store(tmp_path_factory.mktemp("store"))
    with writing(store) as writer:
        writer.connection.execute(MEDIA)
    with reading(store) as connection:
        yield connection


@pytest.fixture(scope="module")
def shares(connection: duckdb.DuckDBPyConnection) -> list[EraShare]:
    return era_shares(challenge_images(connection), connection.sql("FROM members").pl())


def test_counts_are_those_of_sql(
    connection: duckdb.DuckDBPyConnection, shares: list[EraShare]
) -> None:
    expected = connection.execute(
        "SELECT cluster, era, count(DISTINCT row), any_value(n) FROM media "
        "JOIN members USING (challenge_id) "
        "JOIN (SELECT era, count(DISTINCT row) AS n FROM media WHERE gps_lat IS NOT NULL "
        "GROUP BY era) USING (era) GROUP BY ALL ORDER BY cluster, era DESC"
    ).fetchall()
    assert [(one.cluster, one.era, one.images, one.n) for one in shares] == expected
    assert [one.era for one in shares] == ["E9", "E10"] * 2


def test_changes_are_tested_as_by_scipy(shares: list[EraShare]) -> None:
    ps = []
    for before, after in zip(shares[::2], shares[1::2], strict=True):
        assert before.change is None
        assert after.change is not None
        table = [[one.images, one.n - one.images] for one in (after, before)]
        ps.append(stats.fisher_exact(table).pvalue)
        assert after.change.p == pytest.approx(ps[-1])
        assert after.change.difference == pytest.approx(after.share - before.share)
        ends = newcombe_interval(after.images, after.n, before.images, before.n)
        assert after.change.interval == ends
        assert after.change.against == "E9"
    # Holm's of two: the smaller twice, the larger at least that
    low, high = sorted(ps)
    adjusted = sorted(one.change.p_adjusted for one in shares if one.change)
    assert adjusted == pytest.approx([min(1, 2 * low), min(1, max(high, 2 * low))])


def test_a_cluster_that_an_era_never_sent_has_0_there() -> None:
    images = pl.DataFrame(
        {"challenge_id": ["x", "y"], "era": ["E4", "E5"], "image": [1, 2]},
        schema_overrides={"image": pl.UInt64},
    )
    members = pl.DataFrame({"challenge_id": ["x"], "cluster": ["a"]})
    assert [(one.era, one.images, one.n) for one in era_shares(images, members)] == [
        ("E4", 1, 1),
        ("E5", 0, 1),
    ]


def test_without_members_there_are_no_shares(tmp_path: Path) -> None:
    members = pl.DataFrame(schema={"challenge_id": pl.String, "cluster": pl.String})
    images = pl.DataFrame({"challenge_id": ["x"], "era": ["E4"], "image": [1]})
    assert era_shares(images, members) == []
