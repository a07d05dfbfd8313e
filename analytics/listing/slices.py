"""The values of challenges that a list can be filtered by."""

from dataclasses import dataclass
from typing import Any

import duckdb

from analytics.warehouse.statements import named_rows, statements

MOST_VALUES = 200
"""Of a column; a log may name a city of its own for each challenge."""


@dataclass(frozen=True)
class Slices:
    """The most frequent values of each column, most frequent first; None where there is none."""

    eras: tuple[str, ...]
    sources: tuple[str | None, ...]
    cities: tuple[str | None, ...]
    levels: tuple[int | None, ...]
    fidelities: tuple[str, ...]


def slices(connection: duckdb.DuckDBPyConnection) -> Slices:
    """The values of a list's challenges; `connection` is of `ChallengeList.cursor`."""
    query = statements("analytics/listing/slices")
    rows = named_rows(connection.execute(query, {"most": MOST_VALUES}))

    def values(name: str, column: str = "text") -> tuple[Any, ...]:
        return tuple(row[column] for row in rows if row["name"] == name)

    return Slices(
        eras=values("era"),
        sources=values("source"),
        cities=values("city"),
        levels=values("level", "level"),
        fidelities=values("fidelity"),
    )
