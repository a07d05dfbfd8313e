"""Factors of slices, such as a city or a weather: what surely sets them apart, not chance.

Many slices are looked at, so that some would look bad by chance alone. Each estimate is moved
towards 0 by the half width that its interval has when all slices' hold at once (Bonferroni); where
that interval holds 0 the slice weighs nothing.
"""

import numpy as np
import polars as pl
from scipy import stats

from analytics.scoring.metrics import Floats
from model.weighting.evidence import SLICE_FIELDS
from model.weighting.policy import GatesPolicy, SlicesPolicy

LEVEL = 0.95
"""Of each interval that is handed in, and of all of them together."""


def shrunk(value: Floats, low: Floats, high: Floats, tests: int) -> Floats:
    """Estimates moved towards 0 by their simultaneous interval, (n,); 0 where it holds 0.

    Args:
        value: (n,), estimates.
        low: (n,), lower ends of intervals at `LEVEL`; NaN where there is none, which gives 0.
        high: (n,), upper ends.
        tests: how many slices are looked at together.
    """
    single, all_at_once = (stats.norm.isf((1 - LEVEL) / 2 / count) for count in (1, max(1, tests)))
    half = np.nan_to_num((high - low) / 2 * (all_at_once / single), nan=np.inf)
    moved: Floats = np.sign(value) * np.maximum(0.0, np.abs(value) - half)
    return np.nan_to_num(moved)


def slice_losses(losses: pl.DataFrame, policy: SlicesPolicy) -> pl.DataFrame:
    """The factor of each slice in which the candidate surely loses more than in its field's others.

    What it loses everywhere alike says nothing of which rows would help: only what an answer of
    the slice loses beyond the mean answer of all slices of the field, such as all cities, counts.

    Args:
        losses: as `Evidence.slice_losses`.
        policy: of the factor.

    Returns:
        The slices with `loss`, the shrunk reward lost an answer beyond that mean, 0 where it loses
        no more, and `factor`, 1 or more.
    """
    value, low, high = _estimates(losses, "cost")
    share = losses["share"].cast(pl.Float64).to_numpy()
    # a cost is spread over all answers of the log; those of the slice bear it
    of_field = losses.select(
        pl.col("cost", "share").cast(pl.Float64).sum().over("field")
    ).to_numpy()
    usual = share * of_field[:, 0] / np.where(of_field[:, 1] > 0, of_field[:, 1], np.inf)
    more = shrunk(value - usual, low - usual, high - usual, int(np.isfinite(low).sum()))
    loss = np.maximum(0.0, more) / np.where(share > 0, share, np.inf)
    factor = np.minimum(policy.most, 1 + policy.strength * loss)
    return losses.with_columns(
        loss=pl.Series(loss, dtype=pl.Float64), factor=pl.Series(factor, dtype=pl.Float64)
    )


def gate_changes(changes: pl.DataFrame, policy: GatesPolicy) -> pl.DataFrame:
    """The factor of each slice in which the views' shares surely differ, right minus wrong.

    Args:
        changes: as `Evidence.gate_changes`.
        policy: of the factor.

    Returns:
        A row a slice: `field`, `value`, `right`, `wrong`; `change`, half the sum over views of the
        shrunk differences' sizes, 0..1: the part of the fusion that is with other views; and
        `factor`.
    """
    value, low, high = _estimates(changes, "difference")
    tests = changes.filter(pl.col("low").is_not_null()).select("field", "value").n_unique()
    sizes = np.abs(shrunk(value, low, high, tests)) / 2
    named = ("field", "value", "right", "wrong")
    return (
        changes.select(*named, change=pl.Series(sizes, dtype=pl.Float64))
        .group_by(*named, maintain_order=True)
        .agg(pl.col("change").sum())
        .with_columns(factor=(1 + policy.strength * pl.col("change")).clip(1.0, policy.most))
    )


def factor_of_rows(rows: pl.DataFrame, slices: pl.DataFrame) -> Floats:
    """The largest factor of the slices that each row is in, (rows,); 1 where it is in none.

    The largest and not the product: a city and its usual weather lose the same answers. A slice of
    all rows sets none apart, and does not count.

    Args:
        rows: as `Evidence.rows`.
        slices: `field`, `value`, `factor`, of which those of `SLICE_FIELDS` count.
    """
    factor = np.ones(rows.height)
    for field in SLICE_FIELDS:
        own = slices.filter(pl.col("field") == field, pl.col("factor") > 1.0)
        if own.is_empty():
            continue
        of_value = own.group_by("value").agg(pl.col("factor").max())
        factors = _of_lists if rows.schema[field] == pl.List(pl.String) else _of_values
        factor = np.maximum(factor, factors(rows[field], of_value))
    return factor


def _of_values(values: pl.Series, of_value: pl.DataFrame) -> Floats:
    """The factor of each row's value, (rows,); 1 for others, and where all rows have the same."""
    if values.n_unique() < 2:  # noqa: PLR2004
        return np.ones(len(values))
    return values.replace_strict(
        of_value["value"], of_value["factor"], default=1.0, return_dtype=pl.Float64
    ).to_numpy()


def _of_lists(values: pl.Series, of_value: pl.DataFrame) -> Floats:
    """The largest factor of each row's values, (rows,); 1 for others, and values that all have."""
    factor = np.ones(len(values))
    named = pl.DataFrame({"place": np.arange(len(values)), "value": values}).explode("value")
    factors = named.join(of_value, on="value", how="inner").filter(
        pl.col("place").n_unique().over("value") < len(values)
    )
    np.maximum.at(factor, factors["place"].to_numpy(), factors["factor"].to_numpy())
    return factor


def _estimates(frame: pl.DataFrame, name: str) -> tuple[Floats, Floats, Floats]:
    value, low, high = (
        frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for column in (name, "low", "high")
    )
    return value, low, high
