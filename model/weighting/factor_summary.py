"""Each factor of the weights over all rows, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from model.weighting.sample_weights import FACTORS, WeightedRows


@dataclass(frozen=True)
class FactorSummary:
    """A factor over all rows: its range, how many rows it is not 1 for; `reason` where for none."""

    name: str
    least: float
    mean: float
    most: float
    rows: int
    reason: str | None


def factor_summaries(weighted: WeightedRows) -> list[FactorSummary]:
    """A summary a factor, in their order."""
    return [_summary(name, weighted.table[name], weighted.reasons) for name in FACTORS]


def _summary(name: str, values: pl.Series, reasons: Mapping[str, str]) -> FactorSummary:
    least, mean, most = (
        float(value)  # type: ignore[arg-type]  # of a column of numbers
        for value in (values.min(), values.mean(), values.max())
    )
    return FactorSummary(name, least, mean, most, int((values != 1.0).sum()), reasons.get(name))
