"""A store whose champion has answered its log, without a training: the answers are made up."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from analytics.ingest.ingest import ingest
from analytics.simulation.sources import sources_of_shard
from analytics.simulation.validator import simulate
from analytics.warehouse.connection import writing
from data.store import Store
from model.champion.succession import set_champion
from model.checkpoint.card import WEIGHTS, read_card_and_digests
from tests.model.champion.checkpoints import a_checkpoint
from tests.model.retraining.coloured_world import write_coloured
from tests.model.weighting.weighing_world import add_replay
from tests.worlds.audit_logs import write_lines
from tests.worlds.simulated_logs import small_settings

RUN = "replay-a"


def logged(folder: Path) -> Store:
    """A store with a log and the rows that it was made of, without a champion."""
    store = Store(folder / "store")
    shard = write_coloured(store.sources, seed=4, split="train")
    sent = simulate(small_settings(challenges=160), sources_of_shard(shard))
    ingest(store, [write_lines(folder / "log.jsonl", sent)])
    return store


def deploy(store: Store, name: str = "first", number: int = 1) -> None:
    """Make a checkpoint of random weights champion."""
    set_champion(store, a_checkpoint(store, name, number))


def answer(store: Store, name: str = "first") -> None:
    """Let a deployed checkpoint answer the log, half of which came an hour after now."""
    add_replay(store, wrong_in=None, run_id=RUN)
    _, digests = read_card_and_digests(store.models / name)
    described = json.dumps({"checkpoint_sha256": digests[WEIGHTS]})
    soon = datetime.now() + timedelta(days=1)
    with writing(store) as writer:
        execute = writer.connection.execute
        execute("UPDATE replay_runs SET settings = ? WHERE run_id = ?", [described, RUN])
        execute(
            "UPDATE media SET time = CASE WHEN position % 2 = 0 THEN ? ELSE "
            "TIMESTAMP '2026-01-01' END",
            [soon],
        )
