"""The Retraining page: whether one is due and why, doing it, its weights, and what is deployed."""

import streamlit as st

from dashboards.parts.page_head import draw_page_head
from dashboards.parts.store_access import errors_in_one_line, warehouse_version
from dashboards.retraining import access
from dashboards.retraining.answer import basis_sentence, decision_sentence
from dashboards.retraining.attempts import draw_problem
from dashboards.retraining.drift_section import draw_drifts
from dashboards.retraining.history_section import draw_history
from dashboards.retraining.weights_section import draw_weights
from dashboards.retraining.work_section import draw_last, draw_running, draw_start
from data.store import Store
from model.retraining.background import RowsFolder
from model.retraining.decision_now import DecisionNow
from model.weighting.policy import WeightPolicy

_READING = """\
- A retraining is **due** where something drifted beyond what is tolerated and nothing hinders it.
  A drift is the share that would have to move to make earlier and later challenges alike. Chance
  alone moves some, so that is taken off; and the test for all drifts together (Holm) has to say
  that it is no chance.
- **Earlier** and **later** are parted by when the champion was made. Challenges without a time,
  which only W&B's own logs hold, count in neither.
- A retraining weighs source rows, trains a **challenger** from the champion's weights, lets both
  answer the same challenges, and promotes it only if the whole interval of its gain lies above 0
  and no guarded slice is shown to lose too much. Each further challenger on the same challenges has
  to show more.
- It is **a process of its own**: closing this page, or the server, does not end it. Stopped or cut
  off, it goes on where it was when it is resumed. Whatever goes wrong, the champion stays.
- The **effective sample size** is the number of equally weighted rows that would make means as
  steady (Kish): few large weights make it small.
- **Rolling back** makes the champion before this one champion again. Nothing is deleted."""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "Retraining", "Whether the champion needs a successor, training one, and what is deployed."
    )
    if store is None:
        return
    with errors_in_one_line():
        _draw_sections(store)
    with st.expander("How to read this"):
        st.markdown(_READING)


def _draw_sections(store: Store) -> None:
    standing = access.standing(store)
    draw_problem()
    if standing.champion is None:
        draw_last(store)
        draw_history(store, standing)
        return
    first, work, drifts, weights = st.container(), st.container(), st.container(), st.container()
    with work:
        st.header("Retrain", divider="gray")
        rows = _choose_rows(store)
    with first:
        decided = _draw_answer(store, rows)
    policy: WeightPolicy | None = WeightPolicy()
    if decided is not None:
        with drifts:
            draw_drifts(decided)
        policy = None
        with weights, errors_in_one_line():
            policy = draw_weights(store, rows, decided.run.run_id)
    with work:
        if not draw_last(store):
            draw_start(store, rows, policy)
    draw_history(store, standing)


def _choose_rows(store: Store) -> RowsFolder:
    """Which rows could be trained on, where the store has more than those of the challenges."""
    if not any(store.training.glob("*.parquet")):
        return RowsFolder.SOURCES
    words = {
        RowsFolder.TRAINING: "training/ of the store: no challenge shows their images",
        RowsFolder.SOURCES: "sources/ of the store: those that challenges were made of",
    }
    return RowsFolder(
        st.selectbox(
            "Rows to train on",
            list(words),
            format_func=words.__getitem__,
            key="rows",
            bind="query-params",
        )
    )


def _draw_answer(store: Store, rows: RowsFolder) -> DecisionNow | None:
    """The sentence that is the answer; the decision, where it can be made."""
    draw_running(store)
    with errors_in_one_line():
        decided = access.decision(warehouse_version(store), store, rows)
        st.subheader(decision_sentence(decided), anchor=False)
        st.caption(basis_sentence(decided))
        return decided
    return None


draw_page()
