"""NULLs of each metadata field by kind, era, source and label, over source images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import duckdb

from analytics.comparison.intervals import Interval, newcombe_interval, wilson_interval
from analytics.warehouse.statements import named_rows, statements

Kind = Literal["absent", "json_null", "empty", "word", "any"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""As columns of the relation `null_rates`, and `any`, their sum."""


@dataclass(frozen=True)
class NullKinds:
    """One field's NULLs by kind among the `n` readable source images; `unreadable` are left out.

    `era`, `source` and `label` are None for all; an image that all of several sent counts once.
    """

    field: str
    era: str | None
    source: str | None
    label: int | None
    challenges: int
    n: int
    unreadable: int
    absent: int
    json_null: int
    empty: int
    word: int

    def count(self, kind: Kind) -> int:
        """How many of the n are NULL of this kind."""
        if kind == "any":
            return self.absent + self.json_null + self.empty + self.word
        nulls: int = getattr(self, kind)
        return nulls

    def rate(self, kind: Kind) -> float | None:
        """The share that is NULL of this kind, 0..1; None where n is 0."""
        return self.count(kind) / self.n if self.n else None

    def interval(self, kind: Kind) -> Interval:
        """Wilson's 95% interval of the rate; 0..1 where n is 0."""
        return wilson_interval(self.count(kind), self.n)


@dataclass(frozen=True)
class LabelGap:
    """A field's NULLs of images with label 0 (no roadwork) and with label 1 (roadwork)."""

    zero: NullKinds
    one: NullKinds

    @property
    def difference(self) -> float | None:
        """The rate of any kind among label 1 minus that among label 0, -1..1."""
        zero, one = self.zero.rate("any"), self.one.rate("any")
        return None if zero is None or one is None else one - zero

    @property
    def interval(self) -> Interval | None:
        """Newcombe's 95% interval of the difference."""
        if not self.zero.n or not self.one.n:
            return None
        zero, one = self.zero, self.one
        return newcombe_interval(one.count("any"), one.n, zero.count("any"), zero.n)


def null_kinds(connection: duckdb.DuckDBPyConnection) -> list[NullKinds]:
    """Every field: over all challenges, and by era, source and label and all that these combine to.

    Ordered by field, then era, source and label, all before each.
    """
    connection.execute(statements("analytics/leaks/image_nulls"))
    rows = named_rows(connection.execute(statements("analytics/leaks/null_kinds")))
    return [NullKinds(**row) for row in rows]


def chosen(
    kinds: Sequence[NullKinds], era: str | None, source: str | None, label: int | None
) -> list[NullKinds]:
    """A row a field, of one era, source and label; None is all."""
    return [
        counted
        for counted in kinds
        if (counted.era, counted.source, counted.label) == (era, source, label)
    ]


def label_gaps(
    kinds: Sequence[NullKinds], era: str | None, source: str | None
) -> dict[str, LabelGap]:
    """By field, of an era and source that sent both labels; empty where it sent one."""
    zeros = {counted.field: counted for counted in chosen(kinds, era, source, 0)}
    ones = {counted.field: counted for counted in chosen(kinds, era, source, 1)}
    return {field: LabelGap(zeros[field], ones[field]) for field in zeros if field in ones}
