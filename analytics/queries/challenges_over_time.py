"""How many challenges a store holds by time, era and source."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from analytics.warehouse.statements import named_rows, statements

_MOST_BINS = 60
_WIDTHS = tuple(
    timedelta(hours=hours) for hours in (1, 6, 24, 3 * 24, 7 * 24, 28 * 24, 91 * 24, 364 * 24)
)


@dataclass(frozen=True)
class TimeCount:
    """Challenges of an era and a source (None: none logged) in the bin that begins at `start`."""

    start: datetime
    era: str
    source: str | None
    challenges: int


@dataclass(frozen=True)
class ChallengesOverTime:
    """Counts by bins of `width`, in order; challenges without a time are in none."""

    width: timedelta
    counts: list[TimeCount]


def challenges_over_time(
    connection: duckdb.DuckDBPyConnection, first: datetime, last: datetime
) -> ChallengesOverTime:
    """Challenges in at most 61 bins of equal width, from an hour to a year.

    Args:
        connection: of a warehouse.
        first: the first time of a challenge, UTC.
        last: the last one.
    """
    width = next((width for width in _WIDTHS if (last - first) / width <= _MOST_BINS), _WIDTHS[-1])
    query = statements("analytics/queries/challenges_over_time")
    rows = connection.execute(query, {"seconds": width.total_seconds()})
    return ChallengesOverTime(width, [TimeCount(**row) for row in named_rows(rows)])
