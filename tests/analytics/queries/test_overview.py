"""Counts of the overview add up, whatever a log leaves out."""

from collections.abc import Iterator

import duckdb
import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.overview import EraCount, LevelCount, SourceCount, overview
from analytics.warehouse.connection import reading, writing
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
        (-1, False),
        (0, False),
        (1, False),
        (2, False),
        (3, False),
        (None, False),
        (None, True),
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
