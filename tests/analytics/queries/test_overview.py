"""What the overview counts, and how it judges answers."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analytics.queries.overview import (
    AnswerOutcome,
    EraCount,
    LevelCount,
    SourceCount,
    candidate_answer,
    challenge_answers,
    challenge_record,
    overview,
    replay_runs,
)
from analytics.warehouse.connection import reading, writing
from analytics.warehouse.ingest import ingest
from data.errors import QueryError
from data.store import Store
from tests.conftest import GOLDEN

# Records that no golden file holds: some of e9 made synthetic, api, unlogged, failed, unreadable.
ODD = """
UPDATE media SET source = 'synthetic' WHERE position = 1 AND era = 'E9';
UPDATE media SET source = 'api', era = 'E10', era_candidates = ['E10'], aug_level = NULL,
    geometry = 'none' WHERE position = 2 AND era = 'E9';
UPDATE media SET source = NULL WHERE position = 3 AND era = 'E9';
UPDATE media SET aug_level = -1, geometry = 'none' WHERE position = 4 AND era = 'E9';
UPDATE media SET aug_level = NULL, geometry = NULL WHERE position = 5 AND era = 'E9';
INSERT INTO rejects VALUES ('x', 1, NULL, 'no record', ''), ('x', 2, 'gps', 'no place', '');
INSERT INTO replay_runs VALUES
    ('old', 'm', false, '2026-01-01', 1, 0, '{}'), ('new', 'm', true, '2026-01-02', 1, 1, '{}');
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    store = Store(tmp_path_factory.mktemp("store"))
    ingest(store, [GOLDEN / "e5" / "challenges.jsonl", GOLDEN / "e9" / "challenges.jsonl"])
    with writing(store) as writer:
        writer.connection.execute(ODD)
    with reading(store) as connection:
        yield connection


def test_every_count_holds_all_challenges(connection: duckdb.DuckDBPyConnection) -> None:
    held = overview(connection)

    assert held.totals.challenges == 120
    for counts in (held.eras, held.labels, held.sources, held.levels):
        assert sum(count.challenges for count in counts) == 120


def test_eras_come_in_order_of_time_with_their_candidates(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert overview(connection).eras == [
        EraCount("E4", ("E4", "E5"), 60),
        EraCount("E9", ("E9",), 59),
        EraCount("E10", ("E10",), 1),
    ]


def test_missing_source_is_real_only_before_e6(connection: duckdb.DuckDBPyConnection) -> None:
    assert overview(connection).sources == [
        SourceCount("api", False, 1),
        SourceCount("real", False, 57),
        SourceCount("synthetic", False, 1),
        SourceCount(None, False, 1),
        SourceCount(None, True, 60),
    ]


def test_failed_unlogged_and_unreadable_levels_stand_apart(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    levels = overview(connection).levels

    assert [(count.level, count.unreadable) for count in levels] == [
        *((level, False) for level in (-1, 0, 1, 2, 3)),
        *((None, False), (None, True)),
    ]
    assert levels[0] == LevelCount(-1, False, 1)


def test_totals_agree_with_the_relations(connection: duckdb.DuckDBPyConnection) -> None:
    totals = overview(connection).totals
    pairs = set(connection.execute("SELECT uid, hotkey FROM responses").fetchall())

    assert totals.miners == len(pairs) > totals.uids == len({uid for uid, _ in pairs})
    assert (totals.records_rejected, totals.values_rejected) == (1, 1)
    assert totals.responses == 1200
    assert totals.unanswered > 0
    assert totals.without_time == 120
    assert totals.first_time is None


def test_newest_run_comes_first(connection: duckdb.DuckDBPyConnection) -> None:
    assert [run.run_id for run in replay_runs(connection)] == ["new", "old"]


def test_record_holds_all_but_scores(connection: duckdb.DuckDBPyConnection) -> None:
    [(challenge_id,)] = connection.execute("SELECT min(challenge_id) FROM media").fetchall()

    record = challenge_record(connection, challenge_id)

    assert record["challenge_id"] == challenge_id
    assert "scores" not in record
    with pytest.raises(QueryError, match="no such challenge"):
        challenge_record(connection, "no' OR true --")


def test_answers_are_judged_by_the_validators_rounding(tmp_path: Path) -> None:
    store = Store(tmp_path)
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
        *(
            AnswerOutcome.RIGHT,
            AnswerOutcome.WRONG,
            AnswerOutcome.NO_ANSWER,
            AnswerOutcome.NOT_FINITE,
        ),
        *(AnswerOutcome.WRONG, AnswerOutcome.WRONG, AnswerOutcome.WRONG, AnswerOutcome.RIGHT),
    ]
    assert candidate is not None
    assert (candidate.predicted, candidate.outcome) == (0, AnswerOutcome.RIGHT)
