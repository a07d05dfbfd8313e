"""What a store holds at a glance, and one challenge with all its answers."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import duckdb
import numpy as np

from analytics.scoring.metrics import UNANSWERED, predicted_class
from analytics.warehouse.statements import named_rows, statements
from data.errors import QueryError


@dataclass(frozen=True)
class Totals:
    """How much a store holds; times are UTC, None where no challenge has one.

    `miners` are (uid, hotkey) pairs. `unanswered` and `not_finite` are among `responses`.
    `records_rejected` are lost challenges, `values_rejected` single values of kept ones.
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


@dataclass(frozen=True)
class ReplayRun:
    """A finished replay: challenges it was asked for, and those with a probability."""

    run_id: str
    model: str
    uses_metadata: bool
    finished: datetime
    selected: int
    predicted: int


class AnswerOutcome(StrEnum):
    """How an answer stands beside the scored label."""

    RIGHT = "right"
    WRONG = "wrong"
    NO_ANSWER = "no answer"
    NOT_FINITE = "not finite"


@dataclass(frozen=True)
class Answer:
    """One miner's answer; `mcc` is logged over its last 100, `predicted` None without a class."""

    slot: int
    uid: int
    hotkey: str
    prediction: float | None
    predicted: int | None
    outcome: AnswerOutcome
    reward: float | None
    mcc: float | None


@dataclass(frozen=True)
class CandidateAnswer:
    """A replay's answer; without a probability `reason` says why, and there is no verdict."""

    probability: float | None
    spread: float | None
    positive_share: float | None
    fidelity: str
    reason: str | None
    predicted: int | None
    outcome: AnswerOutcome | None


@dataclass(frozen=True)
class VariantAnswer:
    """An image that a replay's candidate was shown, and the answer to it.

    `variant` is 0 where exact, else the place among all combinations; `weight` its probability.
    """

    variant: int
    weight: float
    probability: float


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


def replay_runs(connection: duckdb.DuckDBPyConnection) -> list[ReplayRun]:
    """Finished replays, newest first."""
    return [ReplayRun(**row) for row in _rows(connection, "runs")]


def challenge_record(connection: duckdb.DuckDBPyConnection, challenge_id: str) -> dict[str, Any]:
    """The row of `media` of one challenge by column, but for `scores`.

    Raises:
        QueryError: the store holds no such challenge.
    """
    found = _rows(connection, "record", {"challenge_id": challenge_id})
    if not found:
        raise QueryError(
            f"challenge {challenge_id}",
            found="no such challenge in this store",
            expected="a challenge_id of the relation media",
        )
    return found[0]


def challenge_answers(connection: duckdb.DuckDBPyConnection, challenge_id: str) -> list[Answer]:
    """The answers to one challenge in order of slot; a uid asked twice has two."""
    answers = []
    for row in _rows(connection, "answers", {"challenge_id": challenge_id}):
        outcome = _outcome_of(row["prediction"], row.pop("label"))
        answers.append(Answer(predicted=_class(row["prediction"]), outcome=outcome, **row))
    return answers


def candidate_answer(
    connection: duckdb.DuckDBPyConnection, run_id: str, challenge_id: str
) -> CandidateAnswer | None:
    """What a replay says of one challenge; None if it was not asked."""
    rows = _rows(connection, "candidate", {"run_id": run_id, "challenge_id": challenge_id})
    if not rows:
        return None
    row = rows[0]
    label, probability = row.pop("label"), row["probability"]
    return CandidateAnswer(
        predicted=_class(probability),
        outcome=None if probability is None else _outcome_of(probability, label),
        **row,
    )


def variant_answers(
    connection: duckdb.DuckDBPyConnection, run_id: str, challenge_id: str
) -> list[VariantAnswer]:
    """The images of a challenge that a replay's candidate was shown; empty if it was shown none."""
    rows = _rows(connection, "variant_answers", {"run_id": run_id, "challenge_id": challenge_id})
    return [VariantAnswer(**row) for row in rows]


def run_description(connection: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, Any]:
    """What the run.json of a finished replay says; empty where it says nothing."""
    rows = _rows(connection, "run_description", {"run_id": run_id})
    described = json.loads(rows[0]["settings"]) if rows else {}
    return described if isinstance(described, dict) else {}


def _class(prediction: float | None) -> int | None:
    """The class by the validator's rounding; None where there is no finite answer."""
    if prediction is None or not math.isfinite(prediction) or prediction == UNANSWERED:
        return None
    return int(predicted_class(np.array([prediction]))[0])


def _outcome_of(prediction: float | None, label: int) -> AnswerOutcome:
    if prediction == UNANSWERED:
        return AnswerOutcome.NO_ANSWER
    predicted = _class(prediction)
    if predicted is None:
        return AnswerOutcome.NOT_FINITE
    return AnswerOutcome.RIGHT if predicted == label else AnswerOutcome.WRONG


def _rows(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    return named_rows(connection.execute(statements(f"analytics/queries/{name}"), parameters))
