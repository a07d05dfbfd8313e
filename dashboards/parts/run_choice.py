"""Choice of the replay that a page shows."""

import streamlit as st

from analytics.queries.replay_runs import ReplayRun
from data.text import printable
from replay.settings import inputs_name


def choose_run(runs: list[ReplayRun], no_run_text: str, command: str) -> ReplayRun | None:
    """The run that was chosen, at first the newest; without any, say so and what to run."""
    if not runs:
        st.info(no_run_text, icon=":material/info:")
        st.code(command, language=None)
        return None
    by_id = {run.run_id: run for run in runs}
    chosen = st.selectbox(
        "Replay run, newest first",
        list(by_id),
        format_func=lambda run_id: _label(by_id[run_id]),
        key="run",
        bind="query-params",
    )
    return by_id[chosen]


def _label(run: ReplayRun) -> str:
    inputs = inputs_name(uses_metadata=run.uses_metadata)
    return (
        f"{printable(run.model, 60)} · {inputs} · {run.finished:%Y-%m-%d %H:%M} UTC · "
        f"answered {run.predicted:,} of {run.selected:,} · {run.run_id}"
    )
