"""The slices of a replay: what its challenges have in common, out of the warehouse."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from analytics.comparison.bootstrap import MIN_IMAGES
from analytics.regions.neighbourhoods import (
    NeighbourhoodSettings,
    neighbourhood_names,
    neighbourhoods,
)
from analytics.slices.members import SliceMembers, slice_members
from analytics.slices.scores import Slice, SliceSettings, slices
from analytics.warehouse.statements import statements
from replay.comparing.loaded_answers import RunAnswers

FIELDS = (
    "era",
    "level",
    "label",
    "source",
    "city",
    "neighbourhood",
    "daytime",
    "weather",
    "environment",
    "gps NULL",
    "description NULL",
    "crop area",
    "image size",
    "image",
)
"""What challenges are sliced by."""


@dataclass(frozen=True)
class RunSlices:
    """The slices of a replay; `left_out` counts, by field, the values that got none."""

    slices: list[Slice]
    left_out: dict[str, int]


def run_slices(
    connection: duckdb.DuckDBPyConnection,
    answers: RunAnswers,
    settings: SliceSettings = SliceSettings(),
    places: NeighbourhoodSettings = NeighbourhoodSettings(),
) -> RunSlices:
    """Every slice of a replay beside the miners, those that cost the candidate most first.

    Args:
        connection: that `run_answers` has read `answers` from: its temporary tables are used.
        answers: the replay.
        settings: of the intervals, and how many values a field may have.
        places: of the neighbourhoods.
    """
    sliced = memberships(connection, answers, places, settings)
    return RunSlices(slices(answers.paired, sliced.members, settings), sliced.left_out)


@dataclass(frozen=True)
class Memberships:
    """Which predicted challenge is in which slice, by field, then by value.

    `left_out` counts, by field, the values that got none.
    """

    members: SliceMembers
    left_out: dict[str, int]


def memberships(
    connection: duckdb.DuckDBPyConnection,
    answers: RunAnswers,
    places: NeighbourhoodSettings = NeighbourhoodSettings(),
    settings: SliceSettings = SliceSettings(),
) -> Memberships:
    """The slices of a replay's challenges.

    Of a field with more than `settings.most_values` values, such as free text, only those with
    challenges enough for an interval are slices, and of these at most so many, the largest. The
    others are dropped where they are counted: only codes of slices leave the database.
    """
    # the run also predicted what is left out, such as what its candidate was trained on
    ordinals = answers.challenges["ordinal"].to_numpy()
    count, run = len(ordinals), {"run_id": answers.run["run_id"]}
    place = pa.array(np.arange(count, dtype=np.int32))
    _stage(connection, "stage_compared", pa.table({"ordinal": ordinals, "place": place}))
    _stage(connection, "stage_neighbourhoods", _neighbourhoods(connection, run, places))
    connection.execute(statements("replay/comparing/slice_rows"))
    limits = {"most_values": settings.most_values, "least_challenges": MIN_IMAGES}
    chosen = run | limits | {"fields": list(FIELDS)}
    connection.execute(statements("replay/comparing/stage_slices"), chosen)
    values = connection.execute(statements("replay/comparing/slice_values")).fetchall()
    dropped = connection.execute(statements("replay/comparing/dropped_values")).fetchall()
    pairs = connection.sql(
        statements("replay/comparing/slice_members"), params=run
    ).to_arrow_table()
    members = slice_members(values, count, pairs["place"].to_numpy(), pairs["number"].to_numpy())
    return Memberships(members, dict(dropped))


def _neighbourhoods(
    connection: duckdb.DuckDBPyConnection, run: dict[str, str], settings: NeighbourhoodSettings
) -> pa.Table:
    """A row a challenge with a position: `ordinal`, and the name of its `neighbourhood`."""
    text = statements("replay/comparing/positions")
    positions = connection.sql(text, params=run).to_arrow_table()
    latitudes, longitudes = positions["latitude"].to_numpy(), positions["longitude"].to_numpy()
    numbers = neighbourhoods(latitudes, longitudes, settings)
    names = neighbourhood_names(latitudes, longitudes, numbers)
    distinct, codes = np.unique(names, return_inverse=True)
    named = pa.DictionaryArray.from_arrays(codes.astype(np.int32), distinct.tolist())
    return pa.table({"ordinal": positions["ordinal"], "neighbourhood": named})


def _stage(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Make a temporary table of these rows."""
    connection.register(f"{name}_rows", rows)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}_rows")
    connection.unregister(f"{name}_rows")
