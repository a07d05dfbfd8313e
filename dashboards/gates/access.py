"""What the page Gates shows of a store, kept until the store changes."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from analytics.gates.block_sums import Field, Measure, stage_gates
from analytics.gates.exact_challenges import ExactChallenge, exact_challenges
from analytics.gates.gate_entropy import EntropyBin, gate_entropy
from analytics.gates.mean_gates import GateGroup, GateMeans, gate_groups, gated_runs, staged_means
from analytics.gates.two_runs import TwoRuns, two_runs
from analytics.queries.replay_runs import ReplayRun
from dashboards.parts.page_connection import page_reading
from dashboards.parts.store_access import Version
from model.weighting.gather import gate_changes_of
from replay.runs.training_rows import all_training_rows, trained_on


@dataclass(frozen=True)
class Chosen:
    """What is asked about: a replay, a scored label (None: both), and shares or gates."""

    version: Version
    run_id: str
    label: int | None
    measure: Measure


@dataclass(frozen=True)
class ShownGates:
    """The views of a replay: over all, by the values of a field, and over the log."""

    means: GateMeans
    groups: list[GateGroup]
    entropy: list[EntropyBin]


@st.cache_data(max_entries=4, show_spinner=False)
def runs(version: Version) -> list[ReplayRun]:
    """Finished replays of models with gates, newest first."""
    with page_reading(version.store) as connection:
        return gated_runs(connection)


@st.cache_data(max_entries=4, show_spinner=False)
def pictured(version: Version, run_id: str) -> list[ExactChallenge]:
    """Challenges whose image the page can draw."""
    with page_reading(version.store) as connection:
        return exact_challenges(connection, run_id)


@st.cache_data(max_entries=32, show_spinner="Summing the views …")
def shown_gates(chosen: Chosen, field: Field) -> ShownGates:
    """The views of a replay, less what its candidate was trained on.

    Raises:
        RunError: it has no challenge with gates, or their number differs.
    """
    run_id, label, measure = chosen.run_id, chosen.label, chosen.measure
    store = chosen.version.store
    with page_reading(store) as connection:
        stage_gates(connection, run_id, training=trained_on(store, run_id).rows)
        return ShownGates(
            staged_means(connection, run_id, label, measure=measure),
            gate_groups(connection, run_id, field, label, measure=measure),
            gate_entropy(connection, run_id, label),
        )


@st.cache_data(max_entries=16, show_spinner="Comparing the two runs …")
def beside(chosen: Chosen, other: str) -> TwoRuns:
    """Another replay's views beside these, less what either candidate was trained on.

    Raises:
        RunError: both answered none of the challenges, or have other numbers of views.
    """
    store = chosen.version.store
    training = all_training_rows(*(trained_on(store, run) for run in (chosen.run_id, other)))
    with page_reading(store) as connection:
        return two_runs(connection, chosen.run_id, other, chosen.measure, chosen.label, training)


@st.cache_data(max_entries=8, show_spinner="Looking for slices …")
def slice_changes(version: Version, run_id: str) -> pl.DataFrame:
    """How shares change from right to wrong answers in each slice that a source row can be in.

    Raises:
        RunError: the model has no gates, or no challenge is in such a slice.
    """
    with page_reading(version.store) as connection:
        return gate_changes_of(connection, version.store, run_id)
