"""Two replays beside each other against plain means of the challenges that both answered."""

import numpy as np
import pytest

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.gates.two_runs import two_runs
from analytics.warehouse.connection import reading, writing
from data.errors import RunError
from data.store import Store
from tests.worlds.gated_replays import GATED_REPLAYS

SETTINGS = BootstrapSettings(draws=300)
# another run that answered two thirds, and opens the first view by 0.1 more
OTHER = """
INSERT INTO replay_runs VALUES ('other', 'm', false, '2026-01-03', 60, 40, '{}');
INSERT INTO replay_predictions BY NAME
SELECT * REPLACE ('other' AS run_id) FROM replay_predictions
WHERE run_id = 'gated' AND challenge_id[2:]::INTEGER % 3 > 0;
INSERT INTO replay_gates BY NAME
SELECT * REPLACE ('other' AS run_id, CASE view WHEN 1 THEN gate + 0.1 ELSE gate END AS gate)
FROM replay_gates WHERE challenge_id[2:]::INTEGER % 3 > 0;
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("two"))
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS + OTHER)
    return store


def test_the_difference_is_of_the_challenges_that_both_answered(store: Store) -> None:
    with reading(store) as connection:
        found = two_runs(connection, "gated", "other", "gate", settings=SETTINGS)
    i = np.arange(58)
    shared = i[i % 3 > 0]
    assert (found.challenges, found.images) == (len(shared), 20)
    first = 0.3 + 0.01 * (shared % 20) / 20
    assert found.views[0].first == pytest.approx(first.mean())
    assert found.views[0].other == pytest.approx(first.mean() + 0.1)
    assert [view.difference for view in found.views] == pytest.approx([0.1, 0, 0])
    # the same change everywhere: nothing of it is chance
    assert found.views[0].interval == pytest.approx((0.1, 0.1))


def test_a_run_beside_itself_differs_by_nothing(store: Store) -> None:
    with reading(store) as connection:
        found = two_runs(connection, "other", "other", label=1, settings=SETTINGS)
    assert {view.difference for view in found.views} == {0.0}


def test_runs_that_share_nothing_are_refused(store: Store) -> None:
    with reading(store) as connection, pytest.raises(RunError, match="no challenge that both"):
        two_runs(connection, "gated", "plain")
