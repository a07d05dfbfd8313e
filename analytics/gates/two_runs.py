"""Two replays of models with gates beside each other, on the challenges that both answered."""

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from analytics.comparison.bootstrap import MIN_IMAGES, BootstrapSettings
from analytics.comparison.intervals import Interval, simultaneous_intervals
from analytics.gates.block_sums import BLOCKS, Measure, stage_gates
from analytics.gates.view_means import block_repeats
from analytics.warehouse.statements import statements
from data.errors import RunError


@dataclass(frozen=True)
class ViewChange:
    """A view's mean share or gate in two replays of the same challenges; `difference` is the other
    minus the first, its `interval` None where there are fewer than 10 source images."""

    view: int
    first: float
    other: float
    difference: float
    interval: Interval | None


@dataclass(frozen=True)
class TwoRuns:
    """The views of two replays, on `challenges` of `images` source images that both answered.

    The intervals of all views hold simultaneously at `level`.
    """

    views: list[ViewChange]
    challenges: int
    images: int
    level: float


def two_runs(
    connection: duckdb.DuckDBPyConnection,
    first: str,
    other: str,
    measure: Measure = "share",
    label: int | None = None,
    training: pl.DataFrame | None = None,
    settings: BootstrapSettings = BootstrapSettings(),
) -> TwoRuns:
    """Every view's mean in both replays, and the difference with its interval.

    Args:
        connection: of a warehouse.
        first: a finished replay.
        other: another one.
        measure: the column of `replay_gates`.
        label: only challenges of this scored label, 0 or 1; None is both.
        training: rows that one of the candidates was trained on; challenges that overlap with one
            are left out.
        settings: of the bootstrap over blocks of source images.

    Raises:
        RunError: both answered none of the challenges, or have other numbers of views.
    """
    stage_gates(connection, first, other, training)
    rows = connection.sql(
        statements("analytics/gates/two_runs"),
        params={"run": first, "other": other, "measure": measure, "label": label},
    ).pl()
    if rows.is_empty() or rows.filter(pl.col("challenges") != pl.col("of_other")).height:
        raise RunError(
            f"gates of {first} and {other}",
            found="other numbers of views" if rows.height else "no challenge that both answered",
            expected="the same views of the same challenges",
            remedy="choose another run, or replay both on the same log",
        )
    return _of_blocks(rows, settings)


def _of_blocks(rows: pl.DataFrame, settings: BootstrapSettings) -> TwoRuns:
    """From sums by block of source images and view, as `two_runs.sql` gives them."""
    views = rows["view"].n_unique()
    sums = np.zeros((2, BLOCKS, views))
    counts = np.zeros(BLOCKS)
    block, view = rows["block"].to_numpy(), rows["view"].to_numpy() - 1
    sums[0, block, view], sums[1, block, view] = rows["total"].to_numpy(), rows["other"].to_numpy()
    counts[block] = rows["challenges"].to_numpy()
    used = counts > 0
    sums, counts = sums[:, used], counts[used]
    images = int(rows.filter(pl.col("view") == 1)["images"].sum())
    means = sums.sum(axis=1) / counts.sum()
    difference = means[1] - means[0]
    intervals: list[Interval | None] = [None] * views
    if images >= MIN_IMAGES:
        repeats = block_repeats(len(counts), settings)
        draws = repeats @ (sums[1] - sums[0]) / (repeats @ counts)[:, None]
        ends = simultaneous_intervals(difference, draws, settings.level)
        intervals = [(float(low), float(high)) for low, high in ends]
    return TwoRuns(
        [
            ViewChange(
                number + 1,
                float(means[0][number]),
                float(means[1][number]),
                float(difference[number]),
                interval,
            )
            for number, interval in enumerate(intervals)
        ],
        challenges=int(counts.sum()),
        images=images,
        level=settings.level,
    )
