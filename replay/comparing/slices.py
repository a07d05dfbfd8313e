"""The slices of a replay: what its challenges have in common, out of the warehouse."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from analytics.comparison.bootstrap import MIN_IMAGES
from analytics.comparison.slices import Membership, Slice, SliceSettings, slices
from analytics.regions.neighbourhoods import (
    NeighbourhoodSettings,
    neighbourhood_names,
    neighbourhoods,
)
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
    return RunSlices(slices(answers.paired, sliced.members(), settings), sliced.left_out)


@dataclass(frozen=True)
class Memberships:
    """Which predicted challenge is in which slice.

    `values` (field, value, indices) has a row a slice, by field, then by value; the indices are of
    predicted challenges, of `challenge_count`. `left_out` counts, by field, the values that got
    none.
    """

    values: pl.DataFrame
    challenge_count: int
    left_out: dict[str, int]

    def members(self) -> Iterator[Membership]:
        """One at a time: flags of every slice at once would be challenges times values."""
        for field, value, indices in self.values.iter_rows():
            flags = np.zeros(self.challenge_count, np.bool_)
            flags[indices] = True
            yield Membership(field, value, flags)


def memberships(
    connection: duckdb.DuckDBPyConnection,
    answers: RunAnswers,
    places: NeighbourhoodSettings = NeighbourhoodSettings(),
    settings: SliceSettings = SliceSettings(),
) -> Memberships:
    """The slices of a replay's challenges.

    Of a field with more than `settings.most_values` values, such as free text, only those with
    challenges enough for an interval are slices, and of these at most so many, the largest.
    """
    ordinals = answers.challenges["ordinal"].to_numpy()
    rows = pl.concat(
        [_frame(connection, "slices", answers), _in_neighbourhoods(connection, answers, places)]
    )
    # the run also predicted what is left out, such as what its candidate was trained on
    compared = answers.challenges.select("ordinal")
    rows = rows.join(compared, on="ordinal", how="semi", maintain_order="left")
    indices = np.searchsorted(ordinals, rows["ordinal"].to_numpy())
    sizes = rows.group_by("field", "value").len("size")
    kept = _kept(sizes, settings)
    values = (
        rows.with_columns(pl.Series("index", indices))
        .join(kept, on=["field", "value"], how="semi")
        .group_by("field", "value")
        .agg("index")
        .sort(pl.col("field").replace_strict(list(FIELDS), range(len(FIELDS))), "value")
    )
    left_out = sizes.join(kept, on=["field", "value"], how="anti")["field"].to_list()
    return Memberships(values, len(ordinals), dict(sorted(Counter(left_out).items())))


def _kept(sizes: pl.DataFrame, settings: SliceSettings) -> pl.DataFrame:
    """The rows of (field, value, size) that become slices."""
    many = pl.len().over("field") > settings.most_values
    ranked = sizes.sort(["size", "value"], descending=[True, False]).with_columns(
        rank=pl.int_range(pl.len()).over("field"), many=many
    )
    few = (pl.col("size") < MIN_IMAGES) | (pl.col("rank") >= settings.most_values)
    return ranked.filter(~(pl.col("many") & few))


def _in_neighbourhoods(
    connection: duckdb.DuckDBPyConnection, answers: RunAnswers, settings: NeighbourhoodSettings
) -> pl.DataFrame:
    positions = _frame(connection, "positions", answers)
    latitudes, longitudes = positions["latitude"].to_numpy(), positions["longitude"].to_numpy()
    numbers = neighbourhoods(latitudes, longitudes, settings)
    names = neighbourhood_names(latitudes, longitudes, numbers)
    return pl.DataFrame(
        {
            "ordinal": positions["ordinal"],
            "field": pl.repeat("neighbourhood", positions.height, dtype=pl.String, eager=True),
            "value": pl.Series(names.tolist(), dtype=pl.String),
        }
    )


def _frame(connection: duckdb.DuckDBPyConnection, name: str, answers: RunAnswers) -> pl.DataFrame:
    text = statements(f"replay/comparing/{name}")
    frame: pl.DataFrame = connection.sql(text, params={"run_id": answers.run["run_id"]}).pl()
    return frame
