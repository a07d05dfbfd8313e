"""What a store holds of each era and validator: since when, how many, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from analytics.warehouse.statements import named_rows, statements

COLUMNS = (
    *("era", "validator", "from (UTC)", "to (UTC)"),
    *("challenges", "holes", "missing", "restarts", "era by"),
)
_MINUTE = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class EraCoverage:
    """The challenges of one era that one validator logged.

    Attributes:
        era: E4 to E10.
        hotkey: that its runs name; None where none does, or another signed. A run that is signed
            is that validator's; whether the numbers are the run's, no signature shows.
        run_id: of a run without a hotkey; None where there is one, and for logs of no run.
        first_time: of the first challenge with a time, UTC; None without one.
        last_time: of the last one.
        challenges: how many.
        holes: stretches of steps that runs lack; None where no run gives steps.
        missing: steps in these stretches, together.
        restarts: how often a run, or its steps, began again.
        evidence: what decided the era of its challenges: each way of it, such as `keys, time`.
    """

    era: str
    hotkey: str | None
    run_id: str | None
    first_time: datetime | None
    last_time: datetime | None
    challenges: int
    holes: int | None
    missing: int | None
    restarts: int | None
    evidence: list[str]


def era_coverage(connection: duckdb.DuckDBPyConnection) -> list[EraCoverage]:
    """What a warehouse holds, in order of eras, then of hotkeys and runs."""
    rows = named_rows(connection.execute(statements("analytics/queries/era_coverage")))
    return [EraCoverage(**row) for row in rows]


def coverage_rows(coverage: Sequence[EraCoverage]) -> list[tuple[object, ...]]:
    """The same for a person, a row each, see `COLUMNS`; names of a log are not escaped."""
    return [
        (
            row.era,
            row.hotkey or (f"run {row.run_id}" if row.run_id else "no run says who"),
            row.first_time and f"{row.first_time:{_MINUTE}}",
            row.last_time and f"{row.last_time:{_MINUTE}}",
            *(row.challenges, row.holes, row.missing, row.restarts, "; ".join(row.evidence)),
        )
        for row in coverage
    ]
