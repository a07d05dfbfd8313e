"""The Challenges page: one challenge with its image, its answers and what the log says of it."""

import streamlit as st

from dashboards.challenges.challenge_viewer import draw_challenge_viewer
from dashboards.parts import store_access
from dashboards.parts.run_choice import choose_run
from data.store import open_store

_NO_WAREHOUSE = "This store holds no logs yet: the page Overview says how to begin."
_NO_RUN = "No candidate has been replayed on this store yet. In a terminal, run the baseline:"


def draw_page() -> None:
    """Draw the page."""
    st.title("Challenges")
    store = open_store()
    st.caption("What miners were sent, and how they and a candidate answered.")
    st.text(f"Store: {store.root}")
    if not store.warehouse.is_file():
        st.info(_NO_WAREHOUSE, icon=":material/info:")
        return
    with store_access.errors_in_one_line():
        runs = store_access.replay_runs(store_access.warehouse_version(store))
        draw_challenge_viewer(
            store, choose_run(runs, _NO_RUN, "streetreplay replay --model orange")
        )


draw_page()
