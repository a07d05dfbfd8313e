"""Weights by cluster against sums by hand, from the relation."""

from pathlib import Path

import polars as pl
import pytest

from analytics.regions.cluster_weights import cluster_weights, row_weights
from analytics.warehouse.connection import reading, writing
from data.store import Store

WEIGHTS = """
INSERT INTO sample_weights
SELECT CASE WHEN i < 6 THEN 'one.parquet' ELSE 'two.parquet' END, i % 6, 1 + i, 1, 1, 1, 1, 1, 1
FROM range(10) AS t (i);
"""


def test_shares_of_rows_and_of_weights(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with writing(store) as writer:
        writer.connection.execute(WEIGHTS)
    members = pl.DataFrame(
        {
            "source": ["one.parquet", "one.parquet", "two.parquet", "absent.parquet"],
            "row": [0, 5, 3, 0],
            "cluster": ["a", "b", "b", "c"],
        }
    )
    with reading(store) as connection:
        found = cluster_weights(row_weights(connection), members)

    total = sum(range(1, 11))
    assert (found.rows, found.elsewhere) == (10, 7)
    assert list(found.clusters) == ["a", "b"]
    a, b = found.clusters["a"], found.clusters["b"]
    assert (a.rows, a.row_share) == (1, 0.1)
    assert a.weight_share == pytest.approx(1 / total)
    assert (b.rows, b.row_share) == (2, 0.2)
    assert b.weight_share == pytest.approx((6 + 10) / total)
    assert b.lift == pytest.approx(16 / total / 0.2)


def test_without_weights_there_are_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with writing(store):
        pass
    members = pl.DataFrame(schema={"source": pl.String, "row": pl.Int64, "cluster": pl.String})
    with reading(store) as connection:
        found = cluster_weights(row_weights(connection), members)
    assert (found.clusters, found.rows, found.elsewhere) == ({}, 0, 0)
