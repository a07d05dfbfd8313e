"""Sample weights: the product of the factors, each shown alone."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.scoring.metrics import Floats
from data.errors import RunError
from model.rows.sample_weights import effective_size
from model.weighting import row_factors, slice_factors
from model.weighting.evidence import Evidence
from model.weighting.policy import WeightPolicy
from model.weighting.targets import Place, nearest_km, places, tiers

FACTORS = ("gps", "slices", "difficulty", "balance", "nulls", "gates")
"""Columns of a table of weights, beside source, row and weight."""


@dataclass(frozen=True)
class WeightedRows:
    """Source rows with their weights.

    Attributes:
        table: a row a source row, in order of `source` and `row`, then `weight` (its mean is 1) and
            the `FACTORS`.
        distance: (rows,), kilometres to the nearest target; NaN without GPS, infinite without any.
        places: clusters of the log, or given places, and which of them are targets.
        raised: rows whose product was below the policy's lowest, `lowered` above its highest.
        effective: the effective sample size.
        slices: slices with their `loss` and `factor`.
        gates: slices with their `change` and `factor`.
        reasons: why a factor is 1 for every row, by factor.
    """

    table: pl.DataFrame
    distance: Floats
    places: list[Place]
    raised: int
    lowered: int
    effective: float
    slices: pl.DataFrame
    gates: pl.DataFrame
    reasons: Mapping[str, str]


def weigh(evidence: Evidence, policy: WeightPolicy = WeightPolicy()) -> WeightedRows:
    """Weigh source rows; the order in which they are handed in changes nothing.

    Raises:
        RunError: no rows, none with GPS although the policy weights by place, or all weights are 0.
    """
    rows = evidence.rows.sort("source", "row")
    if rows.is_empty():
        raise RunError("rows to weigh", found="none", expected="source rows")
    clusters = (
        places(evidence.clusters, evidence.logged, rows, policy.gps) if policy.gps.use else []
    )
    distance = nearest_km(rows, [place for place in clusters if place.is_target])
    slices = slice_factors.slice_losses(evidence.slice_losses, policy.slices)
    gates = slice_factors.gate_changes(evidence.gate_changes, policy.gates)
    factors: dict[str, Callable[[], Floats]] = {
        "gps": lambda: _by_place(distance, clusters, policy),
        "slices": lambda: slice_factors.factor_of_rows(rows, slices),
        "difficulty": lambda: row_factors.difficulty(
            rows, evidence.difficulties, evidence.doubtful, policy.difficulty
        ),
        "nulls": lambda: row_factors.nulls(rows, policy.nulls),
        "gates": lambda: slice_factors.factor_of_rows(rows, gates),
    }
    used = {name for name, part in policy.tables.items() if getattr(part, "use", True)}
    ones = np.ones(rows.height)
    values = {name: make() if name in used else ones for name, make in factors.items()}
    product = np.prod(list(values.values()), axis=0)
    values["balance"] = (
        row_factors.balance(rows, product, policy.balance) if "balance" in used else ones
    )
    weight, raised, lowered = clipped(product * values["balance"], policy)
    table = rows.select("source", "row").with_columns(
        pl.Series("weight", weight), *(pl.Series(name, values[name]) for name in FACTORS)
    )
    return WeightedRows(
        table=table,
        distance=distance,
        places=clusters,
        raised=raised,
        lowered=lowered,
        effective=effective_size(weight),
        slices=slices,
        gates=gates,
        reasons=_reasons(evidence, values, clusters, used),
    )


def clipped(product: Floats, policy: WeightPolicy) -> tuple[Floats, int, int]:
    """Weights of mean 1, and how many of the products were raised and lowered.

    A product is clipped as a multiple of the mean product; then all are divided by their mean. A
    product of 0 stays: the policy leaves its row out.

    Raises:
        RunError: all products are 0.
    """
    mean = math.fsum(product) / len(product)
    if not mean > 0:
        raise RunError(
            "weights",
            found=f"0 for each of {len(product)} rows",
            expected="some above 0",
            remedy="change a factor of 0 in the --policy",
        )
    relative = product / mean
    lowest, highest = policy.product.lowest, policy.product.highest
    low, high = (relative < lowest) & (relative > 0), relative > highest
    kept = np.where(low, lowest, np.where(high, highest, relative))
    weights: Floats = kept * (len(kept) / math.fsum(kept))
    return weights, int(low.sum()), int(high.sum())


def _by_place(distance: Floats, clusters: list[Place], policy: WeightPolicy) -> Floats:
    if not any(place.is_target for place in clusters):
        return np.ones(len(distance))
    return tiers(distance, policy.gps)


def _reasons(
    evidence: Evidence, values: Mapping[str, Floats], clusters: list[Place], used: set[str]
) -> dict[str, str]:
    """Why each factor that is 1 throughout is so."""
    words = {
        "gps": f"none of {len(clusters)} clusters of the log is surely more common there than "
        "among the rows",
        "slices": "the candidate surely loses more reward in no slice than in others",
        "difficulty": "no row was logged",
        "balance": "the labels weigh alike already, or there is one only",
        "nulls": "no NULL pattern holds both labels unevenly",
        "gates": "the views' shares surely differ in no slice, right minus wrong",
    } | dict(evidence.reasons)
    return {
        name: words[name] if name in used else "the policy does not use it"
        for name in FACTORS
        if (values[name] == 1.0).all()
    }
