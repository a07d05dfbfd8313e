"""Starting, watching, stopping and resuming a retraining, which is a process of its own."""

from functools import partial

import streamlit as st

from dashboards.retraining.answer import report_sentences, work_sentence
from dashboards.retraining.attempts import attempt
from data.background.log_tail import log_tail
from data.background.process import RUNNING, State
from data.store import Store
from model.retraining.background import (
    BackgroundRetraining,
    Mode,
    RetrainRequest,
    RowsFolder,
    last_retraining,
    resume_retraining,
    start_retraining,
)
from model.weighting.policy import WeightPolicy

_EVERY_SECONDS = 2
_LINES = 200
_LOG_HEIGHT = 320

_MODES = {
    Mode.IF_NEEDED: "Retrain if it is due",
    Mode.ALWAYS: "Retrain, due or not",
    Mode.DRY_RUN: "Say what is due, train nothing",
}
_CAN_RESUME = (State.STOPPED, State.FAILED, State.KILLED)


def draw_running(store: Store) -> None:
    """Draw the sentence that says what is at work; nothing where nothing is."""
    last = last_retraining(store)
    if last is not None and last.process.state in RUNNING:
        st.fragment(_draw_sentence, run_every=_EVERY_SECONDS)(store)


def _draw_sentence(store: Store) -> None:
    last = last_retraining(store)
    if last is not None:
        st.subheader(work_sentence(last), anchor=False)


def draw_last(store: Store) -> bool:
    """Draw how the retraining that was started last stands; True if it runs."""
    last = last_retraining(store)
    if last is None:
        return False
    running = last.process.state in RUNNING
    st.fragment(_draw_last, run_every=_EVERY_SECONDS if running else None)(store, running)
    return running


def draw_start(store: Store, rows: RowsFolder, policy: WeightPolicy | None) -> None:
    """Draw what can be started.

    Args:
        store: of the champion.
        rows: to train on.
        policy: of their weights; None where what the sliders say was refused.
    """
    mode = st.radio("What to do", list(_MODES), format_func=_MODES.__getitem__, key="mode")
    variants = st.number_input(
        "Possible images shown of a challenge of level 2 or 3",
        min_value=1,
        max_value=1024,
        value=RetrainRequest().variants,
        key="variants",
        help="The more, the truer its mean answer and the longer each replay takes.",
    )
    if policy is None:
        st.caption("The sliders below say what does not go together.")
    elif policy != WeightPolicy():
        st.caption("It will weigh rows by the sliders below.")
    request = RetrainRequest(Mode(mode), rows, int(variants), policy or WeightPolicy())
    st.button(
        "Start",
        type="primary",
        icon=":material/play_arrow:",
        key="start_retraining",
        disabled=policy is None,
        on_click=attempt,
        args=(partial(start_retraining, store, request),),
    )


def _draw_last(store: Store, was_running: bool) -> None:
    last = last_retraining(store)
    if last is None:
        return
    running = last.process.state in RUNNING
    if was_running != running:
        st.rerun()  # the whole page: when it has ended there may be a new champion
    st.text(work_sentence(last))
    for sentence in report_sentences(last):
        st.text(sentence)
    _draw_steps(last)
    _draw_buttons(store, last)
    lines = log_tail(last.process.log, _LINES)
    if last.process.state is State.FAILED and lines:
        st.code(lines[-1], language=None, wrap_lines=True)
    with st.expander(f"Log, the last {len(lines)} lines", expanded=running):
        # as text, of which nothing is rendered
        st.code(
            "\n".join(lines) or "nothing yet", language=None, height=_LOG_HEIGHT, wrap_lines=True
        )


def _draw_steps(last: BackgroundRetraining) -> None:
    if last.request is not None and last.request.mode is Mode.DRY_RUN:
        return
    names = ["decide", "weigh", "train", "judge", "report"]
    at = names.index(last.step) if last.step in names else len(names)
    done = ", ".join(names[:at]) or "nothing"
    st.progress(at / len(names), text=f"done: {done}")


def _draw_buttons(store: Store, last: BackgroundRetraining) -> None:
    state = last.process.state
    if state in RUNNING:
        st.button(
            "Stop",
            icon=":material/stop:",
            disabled=state is State.STOPPING,
            key="stop_retraining",
            on_click=attempt,
            args=(last.process.stop,),
        )
        st.caption("It ends by itself within a step; what is done is kept.")
    elif state in _CAN_RESUME and last.request is not None:
        st.button(
            "Resume",
            icon=":material/resume:",
            key="resume_retraining",
            on_click=attempt,
            args=(partial(resume_retraining, store),),
        )
