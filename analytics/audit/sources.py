"""Media records against histories: whether a run's two copies of each number agree."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from analytics.warehouse.statements import named_rows, statements

# Rows of histories that are compared at a time, to bound memory: about 200 MB.
_ROWS_AT_A_TIME = 400_000


@dataclass(frozen=True)
class SourceCounts:
    """Numbers of runs that have a history, each an answer's prediction, reward, score or metric.

    Of `compared` ones, which both sources hold, `equal` are the same and `differing` are rows of
    the relation `audit_sources`. What only one source holds, the other lost: it is kept.
    """

    compared: int
    equal: int
    differing: int
    only_in_media: int
    only_in_history: int


def source_counts(
    connection: duckdb.DuckDBPyConnection, runs: Sequence[str] | None = None
) -> SourceCounts:
    """Compare the sources of these runs, or of all.

    Args:
        connection: to a warehouse.
        runs: ids of runs; None: all.
    """
    total = Counter[str]()
    (rows,) = connection.execute("SELECT count(*) FROM history_series").fetchall()[0]
    parts = 1 + rows // _ROWS_AT_A_TIME
    for part in range(parts):
        asked = {"runs": None if runs is None else list(runs), "part": part, "parts": parts}
        (counts,) = named_rows(connection.execute(statements("analytics/audit/sources"), asked))
        total.update(counts)
    return SourceCounts(**total)
