"""Gathers the evidence for weights from a store: one table each, or the reason why it is empty."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.comparison.slices import Membership, SliceSettings, slices
from analytics.gates.mean_gates import view_means
from analytics.miners.answers import miner_answers, stage
from analytics.miners.clones import clone_groups
from analytics.miners.item_response import item_response
from analytics.miners.wrong_labels import wrong_labels
from analytics.regions.gps_clusters import gps_clusters
from analytics.regions.positions import challenge_positions
from analytics.scoring.predicted_class import predicted_class
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
        answers = _answers(connection, store, run_id, reasons)
        if answers is not None and policy.slices.use:
            add("slices", lambda: _slice_losses(connection, answers))
        if answers is not None and policy.gates.use:
            add("gates", lambda: _gate_changes(connection, answers))
    return Gathered(Evidence(**tables, reasons=reasons), run_id)


def _answers(
    connection: duckdb.DuckDBPyConnection, store: Store, run_id: str, reasons: dict[str, str]
) -> RunAnswers | None:
    """The replay beside the miners; None, and the reason, where they have nothing in common."""
    trained = trained_on(store, run_id)
    try:
        return run_answers(connection, run_id, trained.rows)
    except (QueryError, RunError) as error:
        reasons.update(dict.fromkeys(("slices", "gates"), str(error)))
        return None


def _clusters(connection: duckdb.DuckDBPyConnection) -> Tables:
    logged = challenge_positions(connection)
    report = gps_clusters(logged)
    clusters = [(one.name, one.latitude, one.longitude) for one in report.clusters if one.n]
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
    suspected = {one.challenge_id for one in labels.suspected}
    doubtful = logged.filter(pl.col("challenge_id").is_in(suspected)).select("source", "row")
    return {"difficulties": difficulties, "doubtful": doubtful.unique(maintain_order=True)}


def _slice_losses(connection: duckdb.DuckDBPyConnection, answers: RunAnswers) -> Tables:
    found = slices(answers.paired, _memberships(connection, answers), SliceSettings(_DRAWS))
    total = answers.paired.answers.challenge.size
    rows = [
        {
            "field": one.field,
            "value": one.value,
            "n": one.n,
            "share": one.n / total,
            "cost": one.cost,
            "low": None if one.cost_interval is None else one.cost_interval[0],
            "high": None if one.cost_interval is None else one.cost_interval[1],
        }
        for one in found
    ]
    return _unless_empty("slice_losses", rows, "no slice that a source row can be in")


def _gate_changes(connection: duckdb.DuckDBPyConnection, answers: RunAnswers) -> Tables:
    run_id = answers.run["run_id"]
    shares = connection.sql(
        statements("model/weighting/view_shares"), params={"run_id": run_id}
    ).pl()
    if shares.is_empty():
        raise RunError(f"gates of {run_id}", found="none", expected="a model with gates")
    challenges = answers.challenges.select("challenge_id", "label", "image").join(
        shares, on="challenge_id", how="left", maintain_order="left"
    )
    has_gates = challenges["shares"].is_not_null().to_numpy()
    rows: list[dict[str, Any]] = []
    for one in _memberships(connection, answers):
        members = challenges.filter(pl.Series(one.members & has_gates))
        if not members.is_empty():
            rows += _changes(one, members)
    return _unless_empty("gate_changes", rows, "no slice that a source row can be in")


def _changes(slice_: Membership, members: pl.DataFrame) -> Iterator[dict[str, Any]]:
    right = predicted_class(members["probability"].to_numpy()) == members["label"].to_numpy()
    _, images = np.unique(members["image"].to_numpy(), return_inverse=True)
    values = np.array(members["shares"].to_list(), np.float64)
    named = {"field": slice_.field, "value": slice_.value}
    counts = {"right": int(right.sum()), "wrong": int((~right).sum())}
    for view in view_means(values, right, images, _DRAWS):
        low, high = view.interval or (None, None)
        difference = {"difference": view.difference or 0.0, "low": low, "high": high}
        yield named | counts | {"view": view.view} | difference


def _memberships(
    connection: duckdb.DuckDBPyConnection, answers: RunAnswers
) -> Iterator[Membership]:
    """The slices that source rows can be in: a value of a field that both have."""
    for one in memberships(connection, answers).members():
        known = one.field in SLICE_FIELDS and not one.value.startswith(_NULL)
        if known:
            yield one


def _unless_empty(name: str, rows: list[dict[str, Any]], otherwise: str) -> Tables:
    if not rows:
        raise RunError(name.replace("_", " "), found=otherwise)
    return {name: pl.DataFrame(rows, infer_schema_length=None)}
