"""Gathers the evidence for weights from a store: one table each, or the reason why it is empty."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.gates.block_sums import stage_gates
from analytics.gates.slice_changes import slice_changes
from analytics.miners.answers import miner_answers, stage
from analytics.miners.clones import clone_groups
from analytics.miners.item_response import item_response
from analytics.miners.wrong_labels import wrong_labels
from analytics.regions.gps_clusters import gps_clusters
from analytics.regions.positions import challenge_positions
from analytics.slices.members import SliceMembers
from analytics.slices.scores import SliceSettings, slices
from analytics.warehouse.statements import statements
from data.errors import QueryError, RunError
from data.store import Store
from model.rows.training_row import TrainingRow
from model.weighting.evidence import SLICE_FIELDS, Evidence, source_rows
from model.weighting.policy import WeightPolicy
from replay.comparing.loaded_answers import RunAnswers, find_run, run_answers
from replay.comparing.slices import memberships
from replay.runs.training_rows import trained_on

# Draws of the intervals: far fewer than a comparison's, as there are many slices.
_DRAWS = BootstrapSettings(draws=200)
_NULL = "NULL: "  # how `replay.comparing.slices` names a missing value

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Gathered:
    """Evidence, and the replay that it is of; None where the policy asks for none."""

    evidence: Evidence
    run_id: str | None


def gather(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    rows: Sequence[TrainingRow],
    policy: WeightPolicy,
    run: str,
) -> Gathered:
    """The evidence that the policy's factors use.

    Challenges that overlap with what the replay's candidate was trained on count in no slice: it
    does better on them than it will elsewhere.

    Args:
        connection: of the store's warehouse.
        store: holds the replay's folder, which names what its candidate was trained on.
        rows: the source rows.
        policy: which factors are used.
        run: a replay's id, or `latest`.

    Raises:
        RunError: there is no such replay, and the policy uses one.
    """
    tables: Tables = {"rows": source_rows(rows)}
    reasons: dict[str, str] = {}

    def add(factor: str, make: Callable[[], Tables]) -> None:
        try:
            tables.update(make())
        except (QueryError, RunError) as error:
            reasons[factor] = str(error)

    if policy.gps.use and not policy.gps.latitudes:
        add("gps", lambda: _clusters(connection))
    if policy.difficulty.use:
        add("difficulty", lambda: _difficulties(connection))
    run_id = None
    if policy.slices.use or policy.gates.use:
        run_id = str(find_run(connection, run)["run_id"])
        if policy.slices.use:
            add("slices", lambda: _slice_losses(connection, store, str(run_id)))
        if policy.gates.use:
            add("gates", lambda: {"gate_changes": gate_changes_of(connection, store, str(run_id))})
    return Gathered(Evidence(**tables, reasons=reasons), run_id)


def _clusters(connection: duckdb.DuckDBPyConnection) -> Tables:
    logged = challenge_positions(connection)
    report = gps_clusters(logged)
    clusters = [
        (cluster.name, cluster.latitude, cluster.longitude)
        for cluster in report.clusters
        if cluster.n
    ]
    return {
        "logged": logged.select("latitude", "longitude").drop_nulls(),
        "clusters": pl.DataFrame(
            clusters,
            schema={"name": pl.String, "latitude": pl.Float64, "longitude": pl.Float64},
            orient="row",
        ),
    }


def _difficulties(connection: duckdb.DuckDBPyConnection) -> Tables:
    stage(connection)
    answers = miner_answers(connection)
    model = item_response(answers)
    labels = wrong_labels(answers, model.abilities, clone_groups(answers).groups)
    logged = connection.sql(statements("model/weighting/logged_rows")).pl()
    difficulties = (
        model.challenges.select("challenge_id", difficulty=pl.col("difficulty") - model.mean)
        .join(logged, on="challenge_id", maintain_order="left")
        .group_by("source", "row", maintain_order=True)
        .agg(pl.col("difficulty").mean())
    )
    suspected = {label.challenge_id for label in labels.suspected}
    doubtful = logged.filter(pl.col("challenge_id").is_in(suspected)).select("source", "row")
    return {"difficulties": difficulties, "doubtful": doubtful.unique(maintain_order=True)}


def _slice_losses(connection: duckdb.DuckDBPyConnection, store: Store, run_id: str) -> Tables:
    answers = run_answers(connection, run_id, trained_on(store, run_id).rows)
    losses = slices(answers.paired, _members(connection, answers), SliceSettings(_DRAWS))
    total = answers.paired.answers.challenge.size
    rows = [
        {
            "field": loss.field,
            "value": loss.value,
            "n": loss.n,
            "share": loss.n / total,
            "cost": loss.cost,
            "low": None if loss.cost_interval is None else loss.cost_interval[0],
            "high": None if loss.cost_interval is None else loss.cost_interval[1],
        }
        for loss in losses
    ]
    return _unless_empty("slice_losses", rows, "no slice that a source row can be in")


def gate_changes_of(
    connection: duckdb.DuckDBPyConnection, store: Store, run_id: str
) -> pl.DataFrame:
    """The table `gate_changes` of `Evidence` for a replay.

    Args:
        connection: of the store's warehouse.
        store: holds the replay's folder, which names what its candidate was trained on.
        run_id: of the replay.

    Raises:
        RunError: its model has no gates, or no challenge is in a slice that a source row can be in.
    """
    stage_gates(connection, run_id, training=trained_on(store, run_id).rows)
    changes = slice_changes(connection, run_id, SLICE_FIELDS, _DRAWS)
    if not connection.execute("FROM gate_challenges LIMIT 1").fetchall():
        raise RunError(f"gates of {run_id}", found="none", expected="a model with gates")
    if changes.is_empty():
        raise RunError("gate changes", found="no slice that a source row can be in")
    return changes


def _members(connection: duckdb.DuckDBPyConnection, answers: RunAnswers) -> SliceMembers:
    """The slices that source rows can be in: a value of a field that both have."""
    members = memberships(connection, answers).members
    known = [
        field in SLICE_FIELDS and not value.startswith(_NULL) for field, value in members.values
    ]
    return members.only(np.array(known, np.bool_))


def _unless_empty(name: str, rows: list[dict[str, Any]], otherwise: str) -> Tables:
    if not rows:
        raise RunError(name.replace("_", " "), found=otherwise)
    return {name: pl.DataFrame(rows, infer_schema_length=None)}
