"""Mean shares and gates of a replayed model's views, where it answered right and where wrong."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.comparison.bootstrap import MIN_IMAGES, BootstrapSettings, image_repeats
from analytics.comparison.intervals import Interval, simultaneous_intervals
from analytics.queries.replay_runs import ReplayRun
from analytics.scoring.metrics import Floats
from analytics.scoring.predicted_class import predicted_class
from analytics.warehouse.statements import named_rows, statements
from data.errors import RunError

Flags = NDArray[np.bool_]

Measure = Literal["share", "gate"]
"""Share: the view's part of the fusion, by which views and models compare; gate: as it is."""


@dataclass(frozen=True)
class ViewMeans:
    """Mean share or gate of one view, 0..1, by its number from 1; a pruned view counts as 0.

    `right` and `wrong` are the means over right and wrong answers, None where there are none;
    `difference` is right minus wrong, its `interval` None where either has fewer than 10 source
    images. `right_dropped` and `wrong_dropped` tell in what part of the challenges, 0..1, the gate
    is exactly 0.
    """

    view: int
    right: float | None
    wrong: float | None
    right_dropped: float | None
    wrong_dropped: float | None
    difference: float | None
    interval: Interval | None


@dataclass(frozen=True)
class GateMeans:
    """Mean shares or gates, see `measure`, of a replay's challenges of one label or both, by view.

    `right` and `wrong` count challenges by the validator's rounding of the answer (half to even),
    on `right_images` and `wrong_images` source images. Of `several` challenges answer and gates are
    means over variants. `left_out` counts the other challenges by reason. The intervals of all
    views hold simultaneously at `level`, over source images.
    """

    measure: Measure
    views: list[ViewMeans]
    right: int
    wrong: int
    right_images: int
    wrong_images: int
    several: int
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
) -> GateMeans:
    """The mean share or gate of every view, right and wrong answers apart, and their difference.

    Args:
        connection: of a warehouse.
        run_id: a finished replay.
        label: only challenges of this scored label, 0 or 1; None is both.
        settings: of the intervals.
        measure: the column of `replay_gates`.

    Raises:
        RunError: the replay has no challenge with gates, or their number differs.
    """
    parameters = {"run_id": run_id}
    challenges = connection.sql(statements("analytics/gates/challenges"), params=parameters).pl()
    used = challenges.filter(pl.col("left_out").is_null())
    views = _view_count(used, run_id)
    left_out = Counter(challenges["left_out"].drop_nulls().to_list())
    if label is not None:
        other_label = used.filter(pl.col("label") != label).height
        if other_label:
            left_out[f"label {1 - label}"] = other_label
        used = used.filter(pl.col("label") == label)
    right = predicted_class(used["probability"].to_numpy()) == used["label"].to_numpy()
    _, images = np.unique(used["image"].to_numpy(), return_inverse=True)
    values = np.array(used[f"{measure}s"].to_list(), np.float64).reshape(used.height, views)
    return GateMeans(
        measure=measure,
        views=view_means(values, right, images, settings),
        right=int(right.sum()),
        wrong=int((~right).sum()),
        right_images=len(np.unique(images[right])),
        wrong_images=len(np.unique(images[~right])),
        several=int(used["several"].sum()),
        left_out=dict(left_out.most_common()),
        level=settings.level,
    )


def _view_count(used: pl.DataFrame, run_id: str) -> int:
    counts = used["gates"].list.len().unique().to_list()
    if len(counts) != 1:
        raise RunError(
            f"gates of {run_id}",
            found=f"challenges with {sorted(counts)} gates" if counts else "none",
            expected="as many views in every challenge",
            remedy="replay a model with gates, such as a checkpoint",
        )
    return int(counts[0])


def view_means(
    values: Floats, right: Flags, images: NDArray[np.int64], settings: BootstrapSettings
) -> list[ViewMeans]:
    """The mean of every view, and differences with their simultaneous intervals.

    Args:
        values: (n, views), shares or gates, 0..1.
        right: (n,), whether the challenge was answered right.
        images: (n,), the number of its source image, from 0.
        settings: of the bootstrap.
    """
    sides = [values[right], values[~right]]
    means = [_mean(side) for side in sides]
    dropped = [_mean((side == 0).astype(np.float64)) for side in sides]
    differences = means[0] - means[1]
    intervals: list[Interval | None] = [None] * values.shape[1]
    if min(len(np.unique(images[right])), len(np.unique(images[~right]))) >= MIN_IMAGES:
        draws = _bootstrap_differences(values, right, images, settings)
        ends = simultaneous_intervals(differences, draws, settings.level)
        intervals = [(float(low), float(high)) for low, high in ends]
    return [
        ViewMeans(
            view=index + 1,
            right=_none_if_nan(means[0][index]),
            wrong=_none_if_nan(means[1][index]),
            right_dropped=_none_if_nan(dropped[0][index]),
            wrong_dropped=_none_if_nan(dropped[1][index]),
            difference=_none_if_nan(differences[index]),
            interval=interval,
        )
        for index, interval in enumerate(intervals)
    ]


def _mean(values: Floats) -> Floats:
    """(views,) of values (n, views); NaN where n is 0."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    means: Floats = values.mean(axis=0)
    return means


def _none_if_nan(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _bootstrap_differences(
    values: Floats, right: Flags, images: NDArray[np.int64], settings: BootstrapSettings
) -> Floats:
    """(draws, views): right minus wrong, source images resampled with replacement."""
    count = int(images.max()) + 1
    sums = np.zeros((2, count, values.shape[1] + 1))
    with_count = np.column_stack([values, np.ones(len(values))])
    # (2: right, wrong; images; views + 1): sums of an image's values, and its number of challenges
    np.add.at(sums, (1 - right.astype(np.int64), images), with_count)
    differences = []
    for draw in range(settings.draws):
        right_sums, wrong_sums = image_repeats(count, settings, draw).astype(np.float64) @ sums
        # a draw without a right or without a wrong answer has no difference
        if right_sums[-1] and wrong_sums[-1]:
            differences.append(right_sums[:-1] / right_sums[-1] - wrong_sums[:-1] / wrong_sums[-1])
    return np.stack(differences)
