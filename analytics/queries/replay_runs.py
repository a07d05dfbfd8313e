"""Finished replays: what each was of, and its settings."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from analytics.warehouse.statements import named_rows, statements


@dataclass(frozen=True)
class ReplayRun:
    """A finished replay: challenges it was asked for, and those with a probability."""

    run_id: str
    model: str
    uses_metadata: bool
    finished: datetime
    selected: int
    predicted: int


def replay_runs(connection: duckdb.DuckDBPyConnection) -> list[ReplayRun]:
    """Finished replays, newest first."""
    return [
        ReplayRun(**row)
        for row in named_rows(connection.execute(statements("analytics/queries/replay_runs")))
    ]


def run_description(connection: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, Any]:
    """What the run.json of a finished replay says; empty where it says nothing."""
    query = statements("analytics/queries/run_description")
    rows = named_rows(connection.execute(query, {"run_id": run_id}))
    described = json.loads(rows[0]["settings"]) if rows else {}
    return described if isinstance(described, dict) else {}


@dataclass(frozen=True)
class FidelityCount:
    """Challenges of a replay by fidelity of the image; `reason` says why there was none."""

    fidelity: str
    reason: str | None
    challenges: int


def fidelity_counts(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[FidelityCount]:
    """How the images of a replay's challenges were rebuilt, the largest count first."""
    query = statements("analytics/queries/fidelity_counts")
    rows = named_rows(connection.execute(query, {"run_id": run_id}))
    return [FidelityCount(**row) for row in rows]
