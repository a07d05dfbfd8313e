"""The slices of a replay: what its challenges have in common, out of the warehouse."""

import duckdb
import numpy as np
import polars as pl

from analytics.gps_clusters import ClusterSettings, cluster_names, gps_clusters
from analytics.slices import Membership, Slice, SliceSettings, slices
from analytics.warehouse import statements
from replay.run_answers import RunAnswers

FIELDS = (
    *("era", "level", "label", "source", "city", "GPS cluster", "daytime", "weather"),
    *("environment", "gps NULL", "description NULL", "crop area", "image size", "image"),
)
"""What challenges are sliced by."""


def run_slices(
    connection: duckdb.DuckDBPyConnection,
    answers: RunAnswers,
    settings: SliceSettings = SliceSettings(),
    clusters: ClusterSettings = ClusterSettings(),
) -> list[Slice]:
    """Every slice of a replay beside the miners, those that cost the candidate most first.

    Args:
        connection: that `run_answers` has read `answers` from: its temporary tables are used.
        answers: the replay.
        settings: of the intervals.
        clusters: of the GPS clusters.
    """
    return slices(answers.paired, memberships(connection, answers, clusters), settings)


def memberships(
    connection: duckdb.DuckDBPyConnection,
    answers: RunAnswers,
    clusters: ClusterSettings = ClusterSettings(),
) -> list[Membership]:
    """Which predicted challenge is in which slice; by field, then by value."""
    places = answers.challenges["place"].to_numpy()
    rows = pl.concat(
        [_frame(connection, "slices", answers), _clustered(connection, answers, clusters)]
    )
    found = []
    for (field, value), group in rows.group_by("field", "value"):
        flags = np.zeros(len(places), np.bool_)
        flags[np.searchsorted(places, group["place"].to_numpy())] = True
        found.append(Membership(str(field), str(value), flags))
    return sorted(found, key=lambda one: (FIELDS.index(one.field), one.value))


def _clustered(
    connection: duckdb.DuckDBPyConnection, answers: RunAnswers, settings: ClusterSettings
) -> pl.DataFrame:
    positions = _frame(connection, "positions", answers)
    latitudes, longitudes = positions["latitude"].to_numpy(), positions["longitude"].to_numpy()
    names = cluster_names(latitudes, longitudes, gps_clusters(latitudes, longitudes, settings))
    return pl.DataFrame(
        {
            "place": positions["place"],
            "field": pl.repeat("GPS cluster", positions.height, dtype=pl.String, eager=True),
            "value": pl.Series(names.tolist(), dtype=pl.String),
        }
    )


def _frame(connection: duckdb.DuckDBPyConnection, name: str, answers: RunAnswers) -> pl.DataFrame:
    text = statements(f"compare/{name}")
    frame: pl.DataFrame = connection.sql(text, params={"run_id": answers.run["run_id"]}).pl()
    return frame
