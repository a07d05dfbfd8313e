"""The decision from what the champion answered already is that of the command."""

import subprocess
import sys

import pytest

from analytics.warehouse.connection import reading, writing
from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from model.champion.succession import set_champion
from model.retraining.decision_now import decision_now
from model.retraining.retrain_report import RetrainReport
from model.rows.source_rows import list_rows
from tests.conftest import ROOT
from tests.model.champion.checkpoints import a_checkpoint
from tests.model.retraining.coloured_world import ColouredWorld, ask


def test_it_is_what_a_dry_run_says(
    world: ColouredWorld, replayed: tuple[Store, RetrainReport]
) -> None:
    store, report = replayed
    rows = list_rows(Shards(world.rows)).rows
    with reading(store) as connection:
        decided = decision_now(connection, store, rows)
        count = connection.sql("SELECT count(*) FROM media").fetchall()[0][0]
    assert decided.decision == report.decision
    assert decided.rows == len(rows)
    assert (decided.run.challenges, decided.run.unanswered) == (count, 0)


def test_challenges_that_came_later_are_counted(store: Store, world: ColouredWorld) -> None:
    with writing(store) as writer:
        writer.connection.execute(
            "DELETE FROM replay_predictions WHERE challenge_id IN "
            "(SELECT challenge_id FROM media ORDER BY challenge_id LIMIT 7)"
        )
    with reading(store) as connection:
        decided = decision_now(connection, store, list_rows(Shards(world.rows)).rows)
    assert decided.run.unanswered == 7


def test_answers_with_metadata_or_of_others_do_not_count(
    store: Store, world: ColouredWorld
) -> None:
    rows = list_rows(Shards(world.rows)).rows
    with writing(store) as writer:
        writer.connection.execute("UPDATE replay_runs SET uses_metadata = true")
    with reading(store) as connection, pytest.raises(RunError, match="no answers of it"):
        decision_now(connection, store, rows)
    with writing(store) as writer:
        writer.connection.execute(
            "UPDATE replay_runs SET uses_metadata = false, settings = 'no JSON'"
        )
    with reading(store) as connection, pytest.raises(RunError, match="no answers of it"):
        decision_now(connection, store, rows)
    ask(store, world.rows, dry_run=True)  # publishes it again, as it says
    with reading(store) as connection:
        assert decision_now(connection, store, rows).run.unanswered == 0


def test_another_champion_has_not_answered(store: Store, world: ColouredWorld) -> None:
    set_champion(store, a_checkpoint(store, "other", 2))
    with reading(store) as connection, pytest.raises(RunError, match=r"champion other.*no answers"):
        decision_now(connection, store, list_rows(Shards(world.rows)).rows)


def test_no_torch_is_imported() -> None:
    program = (
        "import sys, model.retraining.decision_now, model.retraining.background\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
