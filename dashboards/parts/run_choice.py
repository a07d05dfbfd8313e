"""Choice of the replay that a page shows."""

import streamlit as st

from analytics.queries.replay_runs import ReplayRun
from dashboards.parts.linked_choice import linked_choice
from data.text import printable
from replay.settings import inputs_name


def choose_run(runs: list[ReplayRun], no_run_text: str, command: str) -> ReplayRun | None:
    """The run that was chosen, at first the newest; without any, say so and what to run."""
    if not runs:
        st.info(no_run_text, icon=":material/info:")
        st.code(command, language=None)
        return None
    by_id = {run.run_id: run for run in runs}
    labels = {run_id: run_label(run) for run_id, run in by_id.items()}
    return by_id[linked_choice("Replay run, newest first", labels, "run")]


def run_label(run: ReplayRun) -> str:
    """A run in one line: its model, inputs, time, and how many challenges it answered."""
    inputs = inputs_name(uses_metadata=run.uses_metadata)
    return (
        f"{printable(run.model, 60)} · {inputs} · {run.finished:%Y-%m-%d %H:%M} UTC · "
        f"answered {run.predicted:,} of {run.selected:,} · {run.run_id}"
    )
