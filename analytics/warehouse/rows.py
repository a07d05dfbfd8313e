"""Convert typed records to rows of the warehouse's relations, and append rows to a relation."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from data.records.fields import NULL_COLUMNS
from data.records.types import (
    Augmentation,
    Challenge,
    Logged,
    Reject,
    Response,
    Run,
    SeriesStep,
    Source,
)

Row = Mapping[str, Any]

_SOURCE = tuple(field.name for field in fields(Source))
_AUGMENTATION = tuple(field.name for field in fields(Augmentation))
_RESPONSE = tuple(field.name for field in fields(Response))
_RUN = tuple(field.name for field in fields(Run))


def naive_utc(time: datetime | None) -> datetime | None:
    """A time as the warehouse holds it: UTC, without a zone; one without a zone is UTC already."""
    # astimezone would take a time without a zone for the machine's own
    if time is None or time.tzinfo is None:
        return time
    return time.astimezone(UTC).replace(tzinfo=None)


def media_row(logged: Logged) -> Row:
    """The row of `media` of one challenge."""
    origin, challenge = logged.origin, logged.challenge
    row: dict[str, Any] = {
        "challenge_id": challenge.challenge_id,
        "run_id": origin.run_id,
        # of the log until `analytics.ingest.run_segments` makes it one of the run
        "segment": None if origin.run_id is None else origin.part,
        "step": origin.step,
        "file": origin.file,
        "position": origin.position,
        "time": naive_utc(origin.time),
        "era": challenge.era,
        "era_candidates": challenge.era_candidates,
        "era_evidence": challenge.era_evidence,
        "label": challenge.label,
        "scores": challenge.scores,
        "other": challenge.other,
    }
    row.update((name, getattr(challenge.source, name)) for name in _SOURCE)
    row.update((name, getattr(challenge.augmentation, name)) for name in _AUGMENTATION)
    row.update((f"{column}_null", challenge.nulls.get(column)) for column in NULL_COLUMNS)
    return row


def response_rows(challenge: Challenge) -> Iterator[Row]:
    """The rows of `responses` of one challenge."""
    last = {response.uid: response.slot for response in challenge.responses}
    for response in challenge.responses:
        row = {name: getattr(response, name) for name in _RESPONSE}
        yield row | {
            "challenge_id": challenge.challenge_id,
            "score": _score_of(response.uid, challenge.scores),
            "asked_again": response.slot != last[response.uid],
        }


def _score_of(uid: int, scores: Sequence[float | None] | None) -> float | None:
    """A uid's score; NaN where it was not finite, None where none was logged."""
    if scores is None or uid >= len(scores):
        return None
    score = scores[uid]
    return math.nan if score is None else score


def logged_series_rows(step: SeriesStep) -> Iterator[Row]:
    """The series of one history row of a run."""
    for uid, values in step.values.items():
        row = {"run_id": step.run_id, "step": step.step, "uid": uid, "logged": True}
        yield row | values


def run_row(run: Run) -> Row:
    """The row of `runs` of one run file."""
    row = {name: getattr(run, name) for name in _RUN}
    # where steps were read, `analytics.ingest.run_segments` fills these in
    steps = {"segment": 0, "first_step": None, "last_step": None}
    return row | steps | {"started": naive_utc(run.started)}


def reject_row(reject: Reject) -> Row:
    """The row of `rejects` of one reject."""
    return {
        "file": reject.origin.file,
        "position": reject.origin.position,
        "field": reject.column,
        "reason": reject.reason,
        "excerpt": reject.excerpt,
    }


def append_rows(connection: duckdb.DuckDBPyConnection, relation: str, rows: Sequence[Row]) -> None:
    """Append rows to a relation of the warehouse; a column that a row lacks becomes NULL."""
    if rows:
        schema = connection.table(relation).limit(0).to_arrow_table().schema
        append_table(connection, relation, table_of_rows(rows, schema))


def table_of_rows(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table; a column that a row lacks becomes NULL."""
    return pa.Table.from_pydict(
        {name: [row.get(name) for row in rows] for name in schema.names}, schema=schema
    )


def append_table(connection: duckdb.DuckDBPyConnection, relation: str, table: pa.Table) -> None:
    """Append the rows of a table with the relation's columns, in their order."""
    if table.num_rows:
        # a registered table would stay in memory until the transaction ends
        connection.from_arrow(table).insert_into(relation)
