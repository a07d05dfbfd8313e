"""The record of one challenge, and the outcomes of the answers to it."""

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.challenge_answers import (
    AnswerOutcome,
    candidate_answer,
    challenge_answers,
    challenge_record,
)
from analytics.warehouse.connection import reading, writing
from data.errors import QueryError
from data.store import Store
from tests.conftest import GOLDEN


def test_record_holds_all_but_scores(store: Store) -> None:
    ingest(store, [GOLDEN / "real" / "media_record.json"])

    with reading(store) as connection:
        [(challenge_id,)] = connection.execute("SELECT challenge_id FROM media").fetchall()
        record = challenge_record(connection, challenge_id)
        with pytest.raises(QueryError, match="no such challenge"):
            challenge_record(connection, "no' OR true --")

    assert record["challenge_id"] == challenge_id
    assert "scores" not in record


def test_outcomes_follow_the_validators_rounding(store: Store) -> None:
    logged = [0.5, 0.51, -1.0, None, 1.7, 1e300, 1.5, -0.2]
    with writing(store) as writer:
        connection = writer.connection
        connection.execute(
            "INSERT INTO media BY NAME SELECT 'c' AS challenge_id, 'f' AS file, 0 AS position, "
            "'E7' AS era, ['E7'] AS era_candidates, 0 AS label, false AS flip_horizontal, "
            "false AS flip_vertical"
        )
        connection.executemany(
            "INSERT INTO responses BY NAME SELECT 'c' AS challenge_id, ? AS slot, 7 AS uid, "
            "'h' AS hotkey, ? AS prediction",
            list(enumerate(logged)),
        )
        connection.execute(
            "INSERT INTO replay_predictions VALUES ('r', 'c', 0.5, 0, 0, 'exact', NULL, 1, 0)"
        )

    with reading(store) as connection:
        answers = challenge_answers(connection, "c")
        candidate = candidate_answer(connection, "r", "c")
        assert candidate_answer(connection, "another", "c") is None

    assert [answer.slot for answer in answers] == list(range(8))
    assert [answer.predicted for answer in answers] == [0, 1, None, None, 2, int(1e300), 2, 0]
    assert [answer.outcome for answer in answers] == [
        AnswerOutcome.RIGHT,
        AnswerOutcome.WRONG,
        AnswerOutcome.NO_ANSWER,
        AnswerOutcome.NOT_FINITE,
        AnswerOutcome.WRONG,
        AnswerOutcome.WRONG,
        AnswerOutcome.WRONG,
        AnswerOutcome.RIGHT,
    ]
    assert candidate is not None
    assert (candidate.predicted, candidate.outcome) == (0, AnswerOutcome.RIGHT)
