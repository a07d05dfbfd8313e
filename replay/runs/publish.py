"""Publishes a finished replay to the warehouse: `replay_runs`, predictions, variants and gates."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from analytics.warehouse import rows
from analytics.warehouse.connection import writing
from analytics.warehouse.statements import named_rows, statements
from data.errors import RunError
from data.store import Store
from replay.candidates.description import CandidateDescription
from replay.runs.part_relations import relation_rows
from replay.runs.run_folder import RunFolder

# Of at most 64 challenges each, in memory at a time.
_PARTS_AT_A_TIME = 100


@dataclass(frozen=True)
class ReplayReport:
    """What a replay did: challenges asked for and predicted, and why the others were not.

    `exact` and `distributions` add up to `predicted`; `images` were asked about, `noisy` of them
    with simulated noise. `standard_error` is the mean, over distributions, of the spread over
    the possible images divided by the square root of how many were drawn: what a challenge's mean
    may be off by (an upper bound where all were built).
    """

    run_id: str
    model: str
    uses_metadata: bool
    selected: int
    predicted: int
    exact: int
    distributions: int
    images: int
    noisy: int
    standard_error: float | None
    left_out: dict[str, int]


def publish(
    store: Store, run: RunFolder, candidate: CandidateDescription, part_count: int
) -> ReplayReport:
    """Put the parts of a finished replay into the warehouse, in place of those of an earlier one.

    Raises:
        RunError: no image was predicted.
    """
    with writing(store) as writer:
        connection = writer.connection
        for relation in ("replay_runs", "replay_predictions", "replay_variants", "replay_gates"):
            connection.execute(f"DELETE FROM {relation} WHERE run_id = ?", [run.run_id])  # noqa: S608
        for first in range(0, part_count, _PARTS_AT_A_TIME):
            parts = run.read_parts(range(first, min(first + _PARTS_AT_A_TIME, part_count)))
            for relation, table in relation_rows(parts, run.run_id).items():
                rows.append_table(connection, relation, table)
        report = _report(connection, run, candidate)
        if not report.predicted:
            # Not published: it would hide the last good replay, and score nothing.
            reasons = ", ".join(f"{reason} {n}" for reason, n in report.left_out.items())
            raise RunError(
                f"replay of {report.selected} challenges",
                found=f"an image for none of them ({reasons})",
                expected="source images",
                remedy="mend the sources (`streetreplay sources` lists them), then replay again",
            )
        described = {
            "run_id": run.run_id,
            "model": report.model,
            "uses_metadata": report.uses_metadata,
            "finished": rows.naive_utc(datetime.now(UTC)),
            "selected": report.selected,
            "predicted": report.predicted,
            "settings": json.dumps(
                {**run.read_description(), "checkpoint_sha256": candidate.checkpoint_sha256}
            ),
        }
        rows.append_rows(connection, "replay_runs", [described])
    return report


def _report(
    connection: duckdb.DuckDBPyConnection, run: RunFolder, candidate: CandidateDescription
) -> ReplayReport:
    result = connection.execute(statements("replay/runs/report"), {"run_id": run.run_id})
    (counts,) = named_rows(result)
    reasons = counts.pop("reasons")
    return ReplayReport(
        run_id=run.run_id,
        model=candidate.name,
        uses_metadata=candidate.wants_metadata,
        left_out=dict(Counter(reasons).most_common()),
        **counts,
    )
