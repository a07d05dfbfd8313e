"""Sums of views' shares or gates by blocks of source images, which intervals are drawn from.

An interval resamples blocks in place of images (random groups; Wolter 2007, chapter 2): an image's
hash says which of 200 it is in, so that few images hardly share one, and thousands are shared out
evenly. Sums of blocks vary as those of images do, so a page asks DuckDB for sums, never for
challenges.
"""

from dataclasses import dataclass
from typing import Literal

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.comparison.bootstrap import MIN_IMAGES
from analytics.leaks.training_overlap import challenge_overlap
from analytics.scoring.metrics import Floats
from analytics.warehouse.statements import statements
from data.errors import RunError

Measure = Literal["share", "gate"]
"""Share: the view's part of the fusion, by which views and models compare; gate: as it is."""

Field = Literal["label", "level", "city", "daytime", "environment", "weather", "image size"]
"""What challenges are grouped by."""

BLOCKS = 200

_MOST_VALUES = 100
_RIGHT, _WRONG = 0, 1


@dataclass(frozen=True)
class BlockSums:
    """Of one value of a field: sums over right and over wrong answers.

    Attributes:
        sums: (2: right, wrong; blocks; views), of shares or gates, 0..1 each.
        counts: (2, blocks), challenges.
        images: (2,), different source images.
        zeros: (2, views), challenges whose gate of the view is exactly 0.
        several: challenges whose answer and gates are means over possible images.
    """

    sums: Floats
    counts: NDArray[np.int64]
    images: NDArray[np.int64]
    zeros: NDArray[np.int64]
    several: int

    @property
    def challenges(self) -> NDArray[np.int64]:
        """(2,), of right and of wrong answers."""
        totals: NDArray[np.int64] = self.counts.sum(axis=1)
        return totals


def stage_gates(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    other: str | None = None,
    training: pl.DataFrame | None = None,
) -> None:
    """Make the temporary table `gate_challenges`, which the other queries of gates read.

    Args:
        connection: of a warehouse.
        run_id: of a finished replay.
        other: of another one beside it.
        training: rows that a candidate was trained on; challenges that overlap with one by row,
            video or place are left out.
    """
    trained = pl.DataFrame(schema={"challenge_id": pl.String})
    if training is not None:
        overlap = challenge_overlap(connection, training)
        trained = overlap.filter(pl.col("overlaps")).select("challenge_id")
    connection.register("trained_challenges", trained.to_arrow())
    runs = {"run": run_id, "other": other or run_id}
    connection.execute(statements("analytics/gates/gate_challenges"), runs | {"blocks": BLOCKS})
    connection.unregister("trained_challenges")
    # seldom, and looking for them takes time
    if connection.execute(statements("analytics/gates/lacks_gates"), runs).fetchall() == [(True,)]:
        connection.execute(statements("analytics/gates/without_gates"))


def block_sums(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    measure: Measure = "share",
    label: int | None = None,
    field: Field | None = None,
) -> dict[str | None, BlockSums]:
    """The sums by the field's value, None where a challenge has none; `""` where no field is named.

    Of more than 100 values only the largest are there, with 10 challenges at least.

    Args:
        connection: that `stage_gates` prepared.
        run_id: of a replay.
        measure: what is summed.
        label: only challenges of this scored label, 0 or 1; None is both.
        field: what to group by.

    Raises:
        RunError: the replay has gates of no challenge, or their number differs.
    """
    asked = {"run": run_id, "label": label, "field": field or ""}
    connection.execute(statements("analytics/gates/gate_values"), asked)
    counts = connection.sql(
        statements("analytics/gates/value_counts"),
        params={"most": _MOST_VALUES, "least": MIN_IMAGES},
    ).pl()
    # a list to look through takes time
    dropped = bool(counts["are_some_dropped"].any())
    kept = counts["value"].unique().fill_null("").to_list() if dropped else None
    rows = connection.sql(
        statements("analytics/gates/block_sums"),
        params={"run": run_id, "measure": measure, "kept": kept},
    ).pl()
    return {
        value: _sums(part, counts.filter(pl.col("value").eq_missing(pl.lit(value))), run_id)
        for (value,), part in rows.group_by("value", maintain_order=True)
    }


def _sums(rows: pl.DataFrame, of_sides: pl.DataFrame, run_id: str) -> BlockSums:
    views = int(rows["view"].max() or 0)  # type: ignore[arg-type]  # of a column of numbers
    side = np.where(rows["is_right"].to_numpy(), _RIGHT, _WRONG)
    blocks, block = np.unique(rows["block"].to_numpy(), return_inverse=True)
    view = rows["view"].to_numpy() - 1
    counts = np.zeros((2, len(blocks), views), np.int64)
    counts[side, block, view] = rows["challenges"].to_numpy()
    if (counts != counts[:, :, :1]).any():
        raise RunError(
            f"gates of {run_id}",
            found=f"challenges that lack some of the views 1 to {views}",
            expected="as many views in every challenge",
            remedy="replay a model with gates, such as a checkpoint",
        )
    sums, zeros = np.zeros(counts.shape), np.zeros(counts.shape, np.int64)
    sums[side, block, view] = rows["total"].to_numpy()
    zeros[side, block, view] = rows["zeros"].to_numpy()
    images = dict(of_sides.select("is_right", "images").iter_rows())
    return BlockSums(
        sums=sums,
        counts=counts[:, :, 0],
        images=np.array([images.get(True, 0), images.get(False, 0)], np.int64),
        zeros=zeros.sum(axis=1),
        several=int(of_sides["several"].sum()),
    )


def no_sums(like: BlockSums | None) -> BlockSums:
    """Sums of no challenge, of as many views as those."""
    views = 0 if like is None else like.sums.shape[2]
    zeros = np.zeros((2, views), np.int64)
    return BlockSums(
        np.zeros((2, 1, views)), np.zeros((2, 1), np.int64), np.zeros(2, np.int64), zeros, 0
    )


def left_out(connection: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, int]:
    """How many challenges of a replay are not used, by reason, most first.

    Args:
        connection: that `stage_gates` prepared.
        run_id: of the replay.
    """
    rows = connection.execute(statements("analytics/gates/left_out"), {"run": run_id}).fetchall()
    return dict(rows)
