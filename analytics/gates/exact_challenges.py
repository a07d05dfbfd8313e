"""Challenges of a replay with gates whose image can be rebuilt exactly."""

from dataclasses import dataclass

import duckdb

from analytics.warehouse.statements import named_rows, statements

_MOST = 100


@dataclass(frozen=True)
class ExactChallenge:
    """A challenge, its place in the log, its scored label and whether it was answered right."""

    challenge_id: str
    file: str
    position: int
    label: int
    is_right: bool


def exact_challenges(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[ExactChallenge]:
    """The first 100 of a replay in order of the log's files and positions.

    Args:
        connection: of a warehouse.
        run_id: a finished replay.
    """
    rows = connection.execute(
        statements("analytics/gates/exact_challenges"), {"run": run_id, "most": _MOST}
    )
    return [ExactChallenge(**row) for row in named_rows(rows)]
