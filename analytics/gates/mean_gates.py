"""Mean shares and gates of a replayed model's views, where it answered right and where wrong."""

from dataclasses import dataclass

import duckdb
import polars as pl

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.gates.block_sums import (
    BlockSums,
    Field,
    Measure,
    block_sums,
    left_out,
    no_sums,
    stage_gates,
)
from analytics.gates.view_means import ViewMeans, view_means
from analytics.queries.replay_runs import ReplayRun
from analytics.warehouse.statements import named_rows, statements
from data.errors import RunError


@dataclass(frozen=True)
class GateGroup:
    """Mean shares or gates by view of the challenges of one value of a field, None for no value.

    `right` and `wrong` count challenges by the validator's rounding of the answer (half to even),
    on `right_images` and `wrong_images` source images. Of `several` challenges answer and gates are
    means over variants. The intervals of all its views hold simultaneously, over source images.
    """

    value: str | None
    views: list[ViewMeans]
    right: int
    wrong: int
    right_images: int
    wrong_images: int
    several: int

    @property
    def challenges(self) -> int:
        """How many there are, right or wrong."""
        return self.right + self.wrong


@dataclass(frozen=True)
class GateMeans(GateGroup):
    """Those of all challenges of a replay, or of one label.

    `left_out` counts the other challenges by reason; `level` is that of the intervals.
    """

    measure: Measure
    left_out: dict[str, int]
    level: float


def gated_runs(connection: duckdb.DuckDBPyConnection) -> list[ReplayRun]:
    """Finished replays whose model has gates, newest first."""
    rows = named_rows(connection.execute(statements("analytics/gates/runs")))
    return [ReplayRun(**row) for row in rows]


def gate_means(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    label: int | None = None,
    settings: BootstrapSettings = BootstrapSettings(),
    measure: Measure = "share",
    training: pl.DataFrame | None = None,
) -> GateMeans:
    """The mean share or gate of every view, right and wrong answers apart, and their difference.

    Args:
        connection: of a warehouse.
        run_id: a finished replay.
        label: only challenges of this scored label, 0 or 1; None is both.
        settings: of the intervals.
        measure: the column of `replay_gates`.
        training: as for `stage_gates`.

    Raises:
        RunError: the replay has no challenge with gates, or their number differs.
    """
    stage_gates(connection, run_id, training=training)
    return staged_means(connection, run_id, label, settings, measure)


def staged_means(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    label: int | None = None,
    settings: BootstrapSettings = BootstrapSettings(),
    measure: Measure = "share",
) -> GateMeans:
    """The same, on a connection that `stage_gates` prepared."""
    of_label = block_sums(connection, run_id, measure, label).get("")
    others = None if label is None else block_sums(connection, run_id, measure, 1 - label).get("")
    if of_label is None and others is None:
        raise RunError(
            f"gates of {run_id}",
            found="none",
            expected="as many views in every challenge",
            remedy="replay a model with gates, such as a checkpoint",
        )
    counts = left_out(connection, run_id)
    if others is not None:
        counts = {f"label {1 - (label or 0)}": int(others.challenges.sum()), **counts}
    sums = of_label or no_sums(others)
    return GateMeans(
        **vars(_group(None, sums, settings)),
        measure=measure,
        left_out=counts,
        level=settings.level,
    )


def gate_groups(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    field: Field,
    label: int | None = None,
    settings: BootstrapSettings = BootstrapSettings(),
    measure: Measure = "share",
) -> list[GateGroup]:
    """The means of each value of a field, those with most challenges first, no value last.

    Args:
        connection: that `stage_gates` prepared.
        run_id: a finished replay.
        field: a challenge with several weathers counts in each.
        label: only challenges of this scored label, 0 or 1; None is both.
        settings: of the intervals.
        measure: the column of `replay_gates`.

    Raises:
        RunError: the numbers of views differ.
    """
    sums_by_value = block_sums(connection, run_id, measure, label, field)
    groups = [_group(value, sums, settings) for value, sums in sums_by_value.items()]
    return sorted(
        groups, key=lambda group: (group.value is None, -group.challenges, group.value or "")
    )


def _group(value: str | None, sums: BlockSums, settings: BootstrapSettings) -> GateGroup:
    (right, wrong), (right_images, wrong_images) = sums.challenges.tolist(), sums.images.tolist()
    return GateGroup(
        value=value,
        views=view_means(sums, settings),
        right=right,
        wrong=wrong,
        right_images=right_images,
        wrong_images=wrong_images,
        several=sums.several,
    )
