"""NULL rates of metadata fields: by era of challenges, of source rows, and how they drift.

Units are source images: repeats of one say the same again. A field whose NULL rate drifts changes
what metadata a model can be fed, and a sampler that a validator changed shows here first. Of the
description the rate is that of label 0: its NULL is the label itself (DOMAIN.md §7).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
from scipy.stats import fisher_exact

from analytics.comparison.intervals import Interval, newcombe_interval, wilson_interval
from analytics.comparison.multiple_tests import holm
from analytics.leaks.null_kinds import NullKinds, null_kinds
from data.errors import QueryError
from data.records.fields import NULL_COLUMNS, VALIDATOR_NULL_COLUMNS, read_fields
from data.records.types import NullKind
from data.sources.row_metadata import row_metadata
from data.sources.shards import Shards

CHALLENGES, SOURCES = "challenges", "sources"
LABEL_ITSELF = "scene_description"
"""The field whose NULL is the label."""


@dataclass(frozen=True)
class Drift:
    """How a rate differs from that of `against`: an era's name, or `sources`.

    `difference` -1..1 with Newcombe's 95% interval, Fisher's exact `p`, and `p_adjusted` by Holm
    over all tests of a report. Images that both eras sent make both too cautious.
    """

    against: str
    difference: float
    interval: Interval
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class NullRate:
    """One field's NULLs among the `n` readable source images of an era, or rows of the sources.

    `rows_of` is `challenges` or `sources`; of sources `era` is None and `challenges` 0. `source` is
    that of the challenges, None for all. `nulls` is the sum of the four kinds; `rate`, 0..1, is
    None where n is 0. `drift` is None where there is nothing to hold it against.
    """

    field: str
    rows_of: str
    era: str | None
    source: str | None
    challenges: int
    n: int
    unreadable: int
    absent: int
    json_null: int
    empty: int
    word: int
    drift: Drift | None = None

    @property
    def nulls(self) -> int:
        """How many of the n are NULL, of any kind."""
        return self.absent + self.json_null + self.empty + self.word

    @property
    def rate(self) -> float | None:
        """The share that is NULL, 0..1."""
        return self.nulls / self.n if self.n else None

    @property
    def interval(self) -> Interval:
        """Wilson's 95% interval of the rate."""
        return wilson_interval(self.nulls, self.n)


def null_rates(
    connection: duckdb.DuckDBPyConnection, shards: Shards | None = None
) -> list[NullRate]:
    """NULL rates of every field: by era, by era and source, and of source rows; with drift.

    An era's drift is from the era before among challenges of the same source; that of source rows
    is from the real images of the newest era, which are a sample of them.

    Args:
        connection: of a warehouse.
        shards: of the public data set's form; None where there are none.

    Raises:
        QueryError: no challenge and no source row.
        SourceError: a shard cannot be read.
    """
    return rates_of(null_kinds(connection), shards)


def rates_of(kinds: Sequence[NullKinds], shards: Shards | None = None) -> list[NullRate]:
    """The same, of NULL kinds that are counted already.

    Args:
        kinds: as `null_kinds` gives them.
        shards: as for `null_rates`.

    Raises:
        QueryError: no challenge and no source row.
        SourceError: a shard cannot be read.
    """
    rates = _challenge_rates(kinds)
    if shards is not None:
        rates += _source_rates(shards)
    if not rates:
        raise QueryError(
            "NULL rates",
            found="no challenge in this store, and no source row",
            expected="an ingested log, or shards of the public data set",
            remedy="run `streetreplay ingest LOG`, or name shards with --sources",
        )
    return _adjusted([_drifting(rate, _before(rates, index)) for index, rate in enumerate(rates)])


def _challenge_rates(kinds: Sequence[NullKinds]) -> list[NullRate]:
    """By era of both labels: by field and source, all sources first, then in order of eras."""
    by_era = [counted for counted in kinds if counted.era is not None and counted.label is None]
    # stable: eras are in their order already
    by_era.sort(
        key=lambda counted: (counted.field, counted.source is not None, counted.source or "")
    )
    return [
        NullRate(
            rows_of=CHALLENGES,
            **{name: value for name, value in vars(counted).items() if name != "label"},
        )
        for counted in by_era
    ]


def _source_rates(shards: Shards) -> list[NullRate]:
    kinds: dict[str, Counter[NullKind | None]] = {
        field: Counter() for field in NULL_COLUMNS if field not in VALIDATOR_NULL_COLUMNS
    }
    rows = 0
    for name in shards.names:
        for columns in row_metadata(shards[name]):
            rows += 1
            nulls = read_fields({"metadata": columns}).nulls
            for field, counts in kinds.items():
                counts[nulls.get(field)] += 1
    return [
        NullRate(
            field=field,
            rows_of=SOURCES,
            era=None,
            source="real",
            challenges=0,
            n=rows - counts[NullKind.UNREADABLE],
            unreadable=counts[NullKind.UNREADABLE],
            absent=counts[NullKind.ABSENT],
            json_null=counts[NullKind.NULL],
            empty=counts[NullKind.EMPTY],
            word=counts[NullKind.WORD],
        )
        for field, counts in kinds.items()
        if rows
    ]


def _before(rates: Sequence[NullRate], index: int) -> NullRate | None:
    """What the drift of a rate is from; rows come by field and source, then in order of eras."""
    rate = rates[index]
    if rate.rows_of == SOURCES:
        newest = [other for other in rates if _is_same(other, rate) and other.era is not None]
        return newest[-1] if newest else None
    if index and _is_same(rates[index - 1], rate) and rates[index - 1].era is not None:
        return rates[index - 1]
    return None


def _is_same(rate: NullRate, other: NullRate) -> bool:
    return (rate.field, rate.source) == (other.field, other.source)


def _drifting(rate: NullRate, before: NullRate | None) -> NullRate:
    """The rate with its drift; p is not adjusted yet."""
    if before is None or rate.rate is None or before.rate is None:
        return rate
    table = [[part.nulls, part.n - part.nulls] for part in (rate, before)]
    p = float(fisher_exact(table).pvalue)
    drift = Drift(
        against=before.era or SOURCES,
        difference=rate.rate - before.rate,
        interval=newcombe_interval(rate.nulls, rate.n, before.nulls, before.n),
        p=p,
        p_adjusted=p,
    )
    return replace(rate, drift=drift)


def _adjusted(rates: list[NullRate]) -> list[NullRate]:
    drifts = [rate.drift for rate in rates if rate.drift is not None]
    adjusted = iter(holm(np.array([drift.p for drift in drifts])).tolist())
    return [
        rate
        if rate.drift is None
        else replace(rate, drift=replace(rate.drift, p_adjusted=next(adjusted)))
        for rate in rates
    ]


def null_rate_row(rate: NullRate) -> dict[str, Any]:
    """The row of the relation `null_rates`, and of `null-rates --json`."""
    low, high = rate.interval
    row = {name: value for name, value in vars(rate).items() if name != "drift"}
    row |= {"nulls": rate.nulls, "rate": rate.rate, "low": low, "high": high}
    drift = rate.drift
    ends = (None, None) if drift is None else drift.interval
    return row | {
        "against": drift and drift.against,
        "difference": drift and drift.difference,
        "difference_low": ends[0],
        "difference_high": ends[1],
        "p": drift and drift.p,
        "p_adjusted": drift and drift.p_adjusted,
    }
