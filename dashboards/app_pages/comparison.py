"""The page Replay and compare: a replayed candidate among the miners, and against other runs."""

import pandas as pd
import streamlit as st

from analytics.queries.replay_runs import ReplayRun
from dashboards.comparing.calibration_section import draw_calibration
from dashboards.comparing.miner_comparison import draw_candidate, draw_miners
from dashboards.comparing.other_run_section import draw_other_run
from dashboards.comparing.rank_chart import rank_rows, ranks_chart
from dashboards.comparing.slices_section import draw_slices
from dashboards.comparing.verdict import draw_verdict
from dashboards.parts import store_access
from dashboards.parts.comparison_access import draw_until_compared
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.run_choice import choose_run
from dashboards.parts.table import draw_table
from data.store import Store
from data.text import printable
from replay.comparing.results import Comparison
from replay.settings import inputs_name

_NO_RUN = (
    "No candidate has been replayed on this store yet. In a terminal, run the baseline that comes "
    "along, a checkpoint, or a model of the hub:"
)
_COMMANDS = """\
streetreplay replay --model orange
streetreplay replay --model DIR
streetreplay replay --model hf:OWNER/NAME"""


def draw_page() -> None:
    """Draw the page."""
    caption = "A candidate on the images that miners saw: in their place, by slice, by threshold."
    store = draw_page_head("Replay and compare", caption)
    if store is not None:
        with store_access.errors_in_one_line():
            _draw_runs(store)


def _draw_runs(store: Store) -> None:
    version = store_access.warehouse_version(store)
    runs = store_access.replay_runs(version)
    run = choose_run(runs, _NO_RUN, _COMMANDS)
    if run is None:
        return
    kept = draw_until_compared(version, run.run_id, slices=True)
    if kept is not None:
        _draw_comparison(version, kept.comparison)
    st.header("Against another run", divider="gray")
    draw_other_run(version, run, runs)
    st.header("All replays", divider="gray")
    draw_table(pd.DataFrame([_row(one) for one in runs]), "replays.csv", {})
    st.caption("A replay more, in a terminal:")
    st.code(_COMMANDS, language=None)


def _draw_comparison(version: store_access.Version, compared: Comparison) -> None:
    draw_verdict(compared)
    draw_candidate(compared)
    st.header("Rank among miners", divider="gray")
    draw_chart(ranks_chart(compared.ranks), "The candidate's rank by statistic, with intervals.")
    st.caption(
        "A rank's interval holds for all miners at once: from 1 + those surely ahead to 1 + those "
        "not surely behind."
    )
    draw_table(rank_rows(compared.ranks), "ranks.csv", {})
    st.header("Beside each miner", divider="gray")
    draw_miners(compared)
    st.header("By slice", divider="gray")
    draw_slices(compared)
    st.header("Calibration and threshold", divider="gray")
    draw_calibration(compared.calibration, compared.shift)


def _row(run: ReplayRun) -> dict[str, object]:
    return {
        "Model": printable(run.model, 80),
        "Inputs": inputs_name(uses_metadata=run.uses_metadata),
        "Finished (UTC)": f"{run.finished:%Y-%m-%d %H:%M}",
        "Answered": run.predicted,
        "Asked": run.selected,
        "Run": run.run_id,
    }


draw_page()
