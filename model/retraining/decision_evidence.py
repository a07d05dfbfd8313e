"""Gathers from a store what has changed since the champion was made."""

from collections.abc import Mapping
from datetime import UTC, datetime

import duckdb
import numpy as np
import polars as pl

from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    bootstrap_scores,
    point_scores,
)
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import CANDIDATE, MINER, Flags, PairedAnswers
from analytics.scoring.metrics import Floats
from analytics.warehouse.rows import naive_utc
from analytics.warehouse.statements import statements
from data.errors import QueryError, RunError
from data.records.fields import SCENE_NULL_COLUMNS
from data.store import Store
from model.retraining.decide import Evidence
from model.retraining.drift import Drift, count_drift, mean_drift
from model.retraining.reference import Reference
from model.retraining.settings import DecisionSettings
from replay.comparing.loaded_answers import run_answers
from replay.runs.training_rows import trained_on

_KIND = "_kind"
_SEED = 0
_DRAWS = BootstrapSettings(draws=500)


def decision_evidence(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    reference: Reference,
    settings: DecisionSettings,
) -> Evidence:
    """The drift of the log and of the champion's answers from the earlier to the later period.

    Challenges without a time are of neither. A source image counts once in each period, so that its
    repeats are not taken for news.

    Args:
        connection: of the store's warehouse.
        store: holds the champion's replay.
        reference: what to compare with.
        settings: the level of the reward's interval.
    """
    parameters = {"since": naive_utc(reference.since)}
    periods = connection.sql(
        statements("model/retraining/challenge_periods"), params=parameters
    ).pl()
    distinct = periods.unique(["image", "later"], maintain_order=True)
    later = distinct["later"].to_numpy()
    known = set(distinct.filter(~pl.col("later"))["era"])
    return Evidence(
        now=datetime.now(UTC),
        last=reference.last,
        new_rows=reference.new_rows,
        cities=_counted(distinct["city"], later),
        nulls=_null_drifts(distinct, later),
        gates=_gate_drift(connection, reference.run_id, periods),
        reward=_reward_change(connection, store, reference.run_id, periods, settings.level),
        new_eras=tuple(sorted(set(distinct["era"]) - known)) if known else (),
    )


def _counted(values: pl.Series, later: Flags) -> Drift | None:
    """The drift of a column's values; None where one of the periods is empty."""
    if not later.any() or later.all():
        return None
    numbers = values.cast(pl.Categorical).to_physical().to_numpy()
    _, numbers = np.unique(numbers, return_inverse=True)
    kinds = int(numbers.max()) + 1
    before, after = (np.bincount(numbers[side], minlength=kinds) for side in (~later, later))
    return count_drift(before, after, _SEED)


def _null_drifts(distinct: pl.DataFrame, later: Flags) -> Mapping[str, Drift]:
    drifts = {
        name: _counted((distinct[name + _KIND] != "").cast(pl.String), later)
        for name in SCENE_NULL_COLUMNS
    }
    return {name: drift for name, drift in drifts.items() if drift is not None}


def _gate_drift(
    connection: duckdb.DuckDBPyConnection, run_id: str, periods: pl.DataFrame
) -> Drift | None:
    """The drift of the mean share of each view, over the champion's replay."""
    shares = connection.sql(
        statements("model/weighting/view_shares"), params={"run_id": run_id}
    ).pl()
    shown = periods.select("challenge_id", "image", "later").join(
        shares, on="challenge_id", how="inner", maintain_order="left"
    )
    shown = shown.unique(["image", "later"], maintain_order=True)
    sides = [
        np.array(shown.filter(pl.col("later") == later)["shares"].to_list(), np.float64)
        for later in (False, True)
    ]
    if not all(map(len, sides)):
        return None
    return mean_drift(sides[0], sides[1], _SEED)


def _reward_change(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    run_id: str,
    periods: pl.DataFrame,
    level: float,
) -> tuple[float, Interval] | None:
    """How the champion's reward less the miners' changed, later minus earlier."""
    try:
        answers = run_answers(connection, run_id, trained_on(store, run_id).rows)
    except (QueryError, RunError):
        return None  # no miner was asked what it predicted
    flags = answers.challenges.select("challenge_id").join(
        periods, on="challenge_id", how="left", maintain_order="left"
    )["later"]
    sides = [
        _less_the_miners(answers.paired.within((flags == later).fill_null(value=False).to_numpy()))
        for later in (False, True)
    ]
    earlier, later = sides
    if earlier is None or later is None:
        return None
    (before, before_draws), (after, after_draws) = earlier, later
    # a draw is of the same source images in both periods
    draws, change = after_draws - before_draws, after - before
    [(low, high)] = centred_intervals(np.array([change]), draws[:, None], level)
    return change, (float(low), float(high))


def _less_the_miners(paired: PairedAnswers) -> tuple[float, Floats] | None:
    """The candidate's reward less the miners', the mean over those asked, and of each draw."""
    asked = np.diff(paired.answers.starts)
    images = np.unique(paired.challenges.images[paired.answers.challenge])
    if len(images) < MIN_IMAGES:
        return None
    counts = image_confusion(paired, paired.challenges.positive_shares())
    point = point_scores(paired, counts, _DRAWS)["reward"]
    draws = bootstrap_scores(paired, counts, _DRAWS)["reward"]

    def mean(rewards: Floats) -> Floats:
        less = np.nan_to_num(rewards[..., CANDIDATE] - rewards[..., MINER])
        means: Floats = (less * asked).sum(axis=-1) / asked.sum()
        return means

    return float(mean(point)), mean(draws)
