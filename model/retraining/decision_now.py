"""The decision as of now, from what the champion has answered already; imports no torch.

`retrain` lets the champion answer the whole log first. This looks at its last replay, so that it is
there at once, and says how many challenges that replay lacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from analytics.warehouse.statements import named_rows, statements
from data.errors import RunError
from data.store import Store
from model.champion.champion import Champion, present_champion
from model.checkpoint.card import WEIGHTS, read_card_and_digests
from model.retraining.decide import Decision, Evidence, decide
from model.retraining.decision_evidence import decision_evidence
from model.retraining.reference import champion_reference
from model.retraining.settings import DecisionSettings
from model.rows.training_row import TrainingRow


@dataclass(frozen=True)
class ChampionRun:
    """The champion's replay: when it ended, UTC, and how much of the log it was asked about.

    `challenges` are in the warehouse, `unanswered` of them not in the replay, as they came later or
    were not selected.
    """

    run_id: str
    finished: datetime
    challenges: int
    unanswered: int


@dataclass(frozen=True)
class DecisionNow:
    """A decision, what it rests on, and since when; `rows` source rows were looked at."""

    decision: Decision
    evidence: Evidence
    since: datetime
    run: ChampionRun
    rows: int


def decision_now(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    rows: Sequence[TrainingRow],
    settings: DecisionSettings = DecisionSettings(),
) -> DecisionNow:
    """Decide whether a retraining is due, by the champion's replay of most challenges.

    Args:
        connection: of the store's warehouse.
        store: of the champion.
        rows: the source rows that could be trained on.
        settings: what drift is tolerated.

    Raises:
        RunError: no champion, one that was removed or altered, or one that was never replayed.
    """
    champion = present_champion(store)
    run = champion_run(connection, champion)
    reference = champion_reference(store, champion, run.run_id, rows, None)
    evidence = decision_evidence(connection, store, reference, settings)
    return DecisionNow(decide(evidence, settings), evidence, reference.since, run, len(rows))


def champion_run(connection: duckdb.DuckDBPyConnection, champion: Champion) -> ChampionRun:
    """The champion's replay without metadata that was asked for most challenges; of these the last.

    Raises:
        RunError: it was never replayed on this store.
    """
    _, digests = read_card_and_digests(champion.folder)
    query = statements("model/retraining/champion_run")
    runs = named_rows(connection.execute(query, {"sha256": digests[WEIGHTS]}))
    if not runs:
        raise RunError(
            f"champion {champion.folder.name}",
            found="no answers of it to this log",
            expected="a replay",
            remedy="run `streetreplay retrain --dry-run` or `streetreplay replay --model champion`",
        )
    return ChampionRun(**runs[0])
