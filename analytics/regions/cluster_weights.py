"""What the current sample weights do by GPS cluster: shares of draws beside shares of rows."""

from dataclasses import dataclass

import duckdb
import polars as pl

from analytics.warehouse.statements import statements


@dataclass(frozen=True)
class ClusterWeight:
    """Of all weighted rows, a cluster's `rows`, their share, and their share of the weights, 0..1.

    Training draws by weight, so `weight_share` is what a cluster is of the draws.
    """

    rows: int
    row_share: float
    weight_share: float

    @property
    def lift(self) -> float:
        """How many times as often as without weights the cluster is drawn."""
        return self.weight_share / self.row_share


@dataclass(frozen=True)
class WeightedClusters:
    """Clusters that hold weighted rows, by name; `elsewhere` of `rows` weighted rows are in none.

    These lie in no cluster, have no position, or are of a shard that the store lacks.
    """

    clusters: dict[str, ClusterWeight]
    rows: int
    elsewhere: int


def row_weights(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """A row a weighted source row: source (its shard's file name), row, weight; often none."""
    frame: pl.DataFrame = connection.sql(statements("analytics/regions/row_weights")).pl()
    return frame


def cluster_weights(weights: pl.DataFrame, source_members: pl.DataFrame) -> WeightedClusters:
    """Rows and weights by cluster.

    Args:
        weights: as `row_weights` gives them.
        source_members: source, row and cluster, as a `ClusterReport` holds them.
    """
    total = float(weights["weight"].sum())
    members = weights.join(source_members, on=["source", "row"])
    sums = members.group_by("cluster").agg(pl.len().alias("rows"), pl.col("weight").sum())
    clusters = {
        name: ClusterWeight(rows, rows / weights.height, weight / total if total else 0.0)
        for name, rows, weight in sums.sort("cluster").iter_rows()
    }
    return WeightedClusters(clusters, weights.height, weights.height - members.height)
