"""Factors of rows by themselves: difficulty and doubtful labels, NULL patterns, label balance."""

import math

import numpy as np
import polars as pl

from analytics.scoring.metrics import Floats
from model.weighting.policy import BalancePolicy, DifficultyPolicy, NullsPolicy

_LABELS = 2


def difficulty(
    rows: pl.DataFrame, difficulties: pl.DataFrame, doubtful: pl.DataFrame, policy: DifficultyPolicy
) -> Floats:
    """Hard logged rows more, easy ones less, doubtful labels hardly; 1 for rows never logged.

    A difficulty is a posterior mean, which lies near the mean challenge's where answers are few or
    say little. A doubtful label counts as that alone: it makes its row look hard.

    Args:
        rows: as `Evidence.rows`.
        difficulties: as `Evidence.difficulties`.
        doubtful: as `Evidence.doubtful`.
        policy: of the factor.

    Returns:
        (rows,) factors.
    """
    named = rows.select("source", "row")
    joined = named.join(difficulties, on=["source", "row"], how="left", maintain_order="left")
    logits = joined["difficulty"].cast(pl.Float64).fill_null(0.0).to_numpy()
    most = math.log(policy.most)
    factor: Floats = np.exp(np.clip(policy.strength * logits, -most, most))
    flags = doubtful.select("source", "row").unique().with_columns(doubtful=pl.lit(value=True))
    is_doubtful = named.join(flags, on=["source", "row"], how="left", maintain_order="left")
    factor[is_doubtful["doubtful"].fill_null(value=False).to_numpy()] = policy.doubtful
    return factor


def nulls(rows: pl.DataFrame, policy: NullsPolicy) -> Floats:
    """Both labels alike within each NULL pattern that holds both, so that it tells the label less.

    Half of a pattern's rows over those with the row's label, `policy.rows` added to both counts:
    a pattern of few rows keeps near 1.

    Args:
        rows: as `Evidence.rows`.
        policy: of the factor.

    Returns:
        (rows,) factors; 1 in a pattern with one label.
    """
    counted = rows.select(
        of_pattern=pl.len().over("null_pattern"),
        of_label=pl.len().over("null_pattern", "label"),
        labels=pl.col("label").n_unique().over("null_pattern"),
    )
    of_pattern, of_label = (
        counted[name].cast(pl.Float64).to_numpy() for name in ("of_pattern", "of_label")
    )
    factor = (of_pattern / _LABELS + policy.rows) / (of_label + policy.rows)
    factor = np.clip(factor, 1 / policy.most, policy.most)
    balanced: Floats = np.where(counted["labels"].to_numpy() == _LABELS, factor, 1.0)
    return balanced


def balance(rows: pl.DataFrame, others: Floats, policy: BalancePolicy) -> Floats:
    """Both labels' weights alike in sum, so that draws hold as many of one as of the other.

    Args:
        rows: as `Evidence.rows`.
        others: (rows,), the product of all other factors.
        policy: of the factor.

    Returns:
        (rows,) factors; 1 where there is one label only, or one has no weight.
    """
    labels = rows["label"].to_numpy()
    # exactly rounded sums: the order of rows changes no bit
    sums = np.array([math.fsum(others[labels == label]) for label in range(_LABELS)])
    if not sums.all():
        return np.ones(rows.height)
    of_label = np.clip(sums.sum() / _LABELS / sums, 1 / policy.most, policy.most)
    factor: Floats = of_label[labels]
    return factor
