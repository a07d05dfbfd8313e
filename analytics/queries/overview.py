"""How much a store holds: totals, and challenges by era, label, source and augmentation level."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from analytics.warehouse.statements import named_rows, statements


@dataclass(frozen=True)
class Totals:
    """How much a store holds; times are UTC, None where no challenge has one.

    `miners` are (uid, hotkey) pairs. `unanswered` and `not_finite` are among `responses`.
    `records_rejected` are lost challenges, `values_rejected` single values of kept ones.
    `false_signatures` are W&B runs that name a hotkey which did not sign them.
    """

    challenges: int
    files: int
    without_time: int
    first_time: datetime | None
    last_time: datetime | None
    responses: int
    unanswered: int
    not_finite: int
    miners: int
    uids: int
    records_rejected: int
    values_rejected: int
    false_signatures: int


@dataclass(frozen=True)
class EraCount:
    """Challenges of an era; `candidates` are all eras that the evidence allows, earliest first."""

    era: str
    candidates: tuple[str, ...]
    challenges: int


@dataclass(frozen=True)
class LabelCount:
    """Challenges of a scored label: 0 none, 1 roadwork."""

    label: int
    challenges: int


@dataclass(frozen=True)
class SourceCount:
    """Challenges of a source; `before_sources` marks eras that log none: all are real."""

    source: str | None
    before_sources: bool
    challenges: int


@dataclass(frozen=True)
class LevelCount:
    """Challenges of an augmentation level; None = none logged, or `unreadable`; -1 = it failed."""

    level: int | None
    unreadable: bool
    challenges: int


@dataclass(frozen=True)
class Overview:
    """Totals and counts; the counts of each list add up to `totals.challenges`."""

    totals: Totals
    eras: list[EraCount]
    labels: list[LabelCount]
    sources: list[SourceCount]
    levels: list[LevelCount]


def overview(connection: duckdb.DuckDBPyConnection) -> Overview:
    """Totals of a warehouse and its challenges by era, label, source and augmentation level."""
    return Overview(
        totals=Totals(**_rows(connection, "totals")[0]),
        eras=[
            EraCount(row["era"], tuple(row["candidates"]), row["challenges"])
            for row in _rows(connection, "eras")
        ],
        labels=[LabelCount(**row) for row in _rows(connection, "labels")],
        sources=[SourceCount(**row) for row in _rows(connection, "sources")],
        levels=[LevelCount(**row) for row in _rows(connection, "levels")],
    )


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    return named_rows(connection.execute(statements(f"analytics/queries/{name}")))
