"""Evidence of logged challenges: two finished replays, in every miner's place."""

from collections import Counter
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import polars as pl

from analytics.comparison.paired_answers import Answers, Flags
from analytics.miners.answers import stage
from analytics.regions.positions import challenge_positions
from analytics.scoring.metrics import Floats
from analytics.warehouse.connection import reading
from analytics.warehouse.statements import statements
from data.errors import QueryError, RunError
from data.store import Store
from model.promotion_gate.evidence import Evidence, gate_set
from model.promotion_gate.guarded_slices import GuardedSlices, guarded_slices
from replay.comparing.loaded_answers import RunChallenges, find_run, run_answers, run_challenges
from replay.runs.training_rows import all_training_rows, trained_on


def logged_evidence(store: Store, champion_run: str, challenger_run: str) -> Evidence | None:
    """What two replays answered to the logged challenges that neither candidate was trained on.

    Replay both over one plan: challenges that only one of them predicted are left out. Each run's
    own training rows are taken.

    Args:
        store: of both runs.
        champion_run: id of the champion's finished replay.
        challenger_run: id of the challenger's; the champion's again makes a pilot for
            `power.assumed_challenger`.

    Returns:
        The evidence; None where no challenge is left, or no miner was asked any.

    Raises:
        RunError: there is no such run, or one of them was given metadata, which no miner gets.
        StoreError: the store holds no warehouse.
    """
    names = {"champion": champion_run, "challenger": challenger_run}
    with reading(store) as connection:
        runs = {side: find_run(connection, run) for side, run in names.items()}
        _refuse_metadata(runs)
        rows = {side: trained_on(store, run["run_id"]) for side, run in runs.items()}
        training = all_training_rows(*rows.values())
        sides = _both_sides(connection, runs, training)
        if sides is None:
            return None
        champion, challenger, places, left_out = sides
        challenges = champion.predicted
        table = connection.sql(statements("model/promotion_gate/gate_challenges")).pl()
        shown = challenges.select("ordinal").join(table, on="ordinal", maintain_order="left")
        positions = _positions(connection, shown["challenge_id"])
        guarded = _guarded(connection, challenges["ordinal"])
    return Evidence(
        champion=champion.challenges(),
        challenger=challenger.challenges(),
        places=places,
        positions=positions,
        slices=guarded.memberships,
        small_slices=guarded.small,
        gate_set=gate_set(shown["challenge_id"], shown["source_image"]),
        champion_id=runs["champion"]["run_id"],
        challenger_id=runs["challenger"]["run_id"],
        left_out=left_out,
        training_unknown=[side for side, trained in rows.items() if trained.rows is None],
    )


_Sides = tuple[RunChallenges, RunChallenges, Answers, dict[str, int]]


def _both_sides(
    connection: duckdb.DuckDBPyConnection,
    runs: dict[str, dict[str, Any]],
    training: pl.DataFrame | None,
) -> _Sides | None:
    """Both replays of what both predicted, who was asked it, and counts of what is left out."""
    try:
        stage(connection)
    except QueryError:
        # it holds no answer: all challenges of all lives are asked for
        return None
    sides = {side: run_challenges(connection, run, training) for side, run in runs.items()}
    champion, challenger = sides["champion"].predicted, sides["challenger"].predicted
    shared = challenger.join(champion, on="ordinal", how="semi", maintain_order="left")
    if shared.is_empty():
        return None
    try:
        answers = run_answers(connection, runs["challenger"]["run_id"], training)
    except RunError:
        # its run is there, as was seen: no miner was asked what it predicted
        return None
    kept = np.isin(challenger["ordinal"].to_numpy(), shared["ordinal"].to_numpy())
    places = _places(answers.paired.answers, kept)
    if not len(places.challenge):
        return None
    left_out = Counter(sides["challenger"].left_out)
    left_out["predicted by the champion only"] = champion.height - shared.height
    left_out["predicted by the challenger only"] = challenger.height - shared.height
    ordinals = shared.select("ordinal")
    return (
        sides["champion"].only(ordinals),
        sides["challenger"].only(ordinals),
        places,
        {reason: count for reason, count in left_out.items() if count},
    )


def _places(answers: Answers, kept: Flags) -> Answers:
    """The answers to challenges where `kept`, (C,), is True, which are numbered anew."""
    numbers = (np.cumsum(kept) - 1).astype(np.int32)
    asked = answers.only(kept[answers.challenge])
    return replace(asked, challenge=numbers[asked.challenge])


def _positions(connection: duckdb.DuckDBPyConnection, challenge_ids: pl.Series) -> Floats:
    """Latitude and longitude of these challenges, (C, 2), NaN where unknown."""
    known = challenge_positions(connection)
    shown = challenge_ids.to_frame().join(
        known, on="challenge_id", how="left", maintain_order="left"
    )
    positions: Floats = shown.select("latitude", "longitude").fill_null(np.nan).to_numpy()
    return positions


def _guarded(connection: duckdb.DuckDBPyConnection, ordinals: pl.Series) -> GuardedSlices:
    """The guarded slices of the challenges of these ordinals."""
    rows = connection.sql(statements("model/promotion_gate/guarded_slices")).pl()
    numbered = pl.DataFrame({"ordinal": ordinals}).with_row_index("index")
    return guarded_slices(rows.join(numbered, on="ordinal"), len(ordinals))


def _refuse_metadata(runs: dict[str, dict[str, Any]]) -> None:
    for side, run in runs.items():
        if run["uses_metadata"]:
            raise RunError(
                f"replay {run['run_id']} of the {side}",
                found="one with metadata, in which the description reveals the label",
                expected="an image-only replay",
                remedy="replay it without --metadata",
            )
