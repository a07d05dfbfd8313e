"""One challenge with the answers of miners and of a replay's candidate to it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb
import numpy as np

from analytics.scoring.metrics import UNANSWERED
from analytics.scoring.predicted_class import predicted_class
from analytics.warehouse.statements import named_rows, statements
from data.errors import QueryError


class AnswerOutcome(StrEnum):
    """Whether an answer is right by the scored label; NOT_ASKED: a replay without the challenge."""

    RIGHT = "right"
    WRONG = "wrong"
    NO_ANSWER = "no answer"
    NOT_FINITE = "not finite"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class MinerAnswer:
    """One miner's answer, and the reward and MCC (over its last 100) logged beside it.

    `predicted` is its class; None without an answer or where it is not finite.
    """

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
    """A replay's answer; without a probability `reason` says why, and there is no outcome."""

    probability: float | None
    spread: float | None
    positive_share: float | None
    fidelity: str
    reason: str | None
    predicted: int | None
    outcome: AnswerOutcome | None


@dataclass(frozen=True)
class VariantAnswer:
    """A replay's answer to one variant, a possible image of a challenge.

    `variant` is 0 where exact, else its index among all combinations; `weight` is its probability.
    """

    variant: int
    weight: float
    probability: float


@dataclass(frozen=True)
class ViewGate:
    """How open a model's gate was for a view, 0..1, and the view's share of the fusion, 0..1.

    Of view 1 to 12; means over the possible images of a challenge.
    """

    view: int
    gate: float
    share: float


def challenge_record(connection: duckdb.DuckDBPyConnection, challenge_id: str) -> dict[str, Any]:
    """The row of `media` of one challenge by column, but for `scores`.

    Raises:
        QueryError: the store holds no such challenge.
    """
    rows = _rows(connection, "record", {"challenge_id": challenge_id})
    if not rows:
        raise QueryError(
            f"challenge {challenge_id}",
            found="no such challenge in this store",
            expected="a challenge_id of the relation media",
        )
    return rows[0]


def challenge_answers(
    connection: duckdb.DuckDBPyConnection, challenge_id: str
) -> list[MinerAnswer]:
    """The answers to one challenge in order of slot; a uid asked twice has two."""
    answers = []
    for row in _rows(connection, "answers", {"challenge_id": challenge_id}):
        outcome = _outcome_of(row["prediction"], row.pop("label"))
        answers.append(MinerAnswer(predicted=_class(row["prediction"]), outcome=outcome, **row))
    return answers


def candidate_answer(
    connection: duckdb.DuckDBPyConnection, run_id: str, challenge_id: str
) -> CandidateAnswer | None:
    """A replay's answer to one challenge; None if it was not asked."""
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
    """A replay's answers to the variants of a challenge; empty if its candidate saw none."""
    rows = _rows(connection, "variant_answers", {"run_id": run_id, "challenge_id": challenge_id})
    return [VariantAnswer(**row) for row in rows]


def view_gates(
    connection: duckdb.DuckDBPyConnection, run_id: str, challenge_id: str
) -> list[ViewGate]:
    """The gates of a replay's model for the views of a challenge; empty if it has none."""
    rows = _rows(connection, "view_gates", {"run_id": run_id, "challenge_id": challenge_id})
    return [ViewGate(**row) for row in rows]


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
