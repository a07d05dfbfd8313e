"""Finished replays of a store."""

from analytics.queries.replay_runs import replay_runs, run_description
from analytics.warehouse.connection import reading, writing
from data.store import Store


def test_newest_run_comes_first_and_describes_itself(store: Store) -> None:
    with writing(store) as writer:
        writer.connection.execute(
            "INSERT INTO replay_runs VALUES ('old', 'm', false, '2026-01-01', 1, 0, '{}'), "
            "('new', 'm', true, '2026-01-02', 1, 1, '{\"seed\": 3}')"
        )
    with reading(store) as connection:
        assert [run.run_id for run in replay_runs(connection)] == ["new", "old"]
        assert run_description(connection, "new") == {"seed": 3}
        assert run_description(connection, "another") == {}
