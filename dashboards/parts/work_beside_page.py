"""Work that a process of its own does beside a page, which is drawn anew when that is done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from data.background.log_tail import log_tail
from data.background.process import RUNNING, BackgroundProcess, State
from data.errors import StreetReplayError
from data.text import printable

_EVERY_SECONDS = 2
_TRIED = "work_tried"


@dataclass(frozen=True)
class Work:
    """What is computed: how it is called, started, and found.

    `name` is what is said of it, as in "Comparing with every miner"; `key` and `basis` tell apart
    what was tried: the same work on another basis is tried again.
    """

    name: str
    key: str
    basis: str
    start: Callable[[], BackgroundProcess]
    last: Callable[[], BackgroundProcess | None]


def draw_work(work: Work) -> None:
    """Draw how far it is; start it, once a visit, where it is not done."""
    tried: dict[tuple[str, str], str | None] = st.session_state.setdefault(_TRIED, {})
    process = work.last()
    if not _runs(process) and (work.key, work.basis) not in tried:
        tried[work.key, work.basis] = _refusal(work)
        process = work.last()
    if process is not None and _runs(process):
        st.fragment(_draw_progress, run_every=_EVERY_SECONDS)(process, work.name)
        return
    _draw_failure(work.name, tried.get((work.key, work.basis)) or _why(process))


def _why(process: BackgroundProcess | None) -> str:
    """Why there is nothing to show, though it has ended."""
    if process is not None and process.state is State.DONE:
        return (
            "it ended well, but what it kept is of other code or logs: start the dashboards again "
            "if their code was changed while they ran"
        )
    lines = [] if process is None else log_tail(process.log, 1)
    return " ".join(lines) or "it ended without a word"


def _refusal(work: Work) -> str | None:
    """Start it; why it could not be started, if so."""
    try:
        work.start()
    except (StreetReplayError, OSError) as error:
        return str(error)
    return None


def _runs(process: BackgroundProcess | None) -> bool:
    return process is not None and process.state in RUNNING


def _draw_progress(process: BackgroundProcess, name: str) -> None:
    if process.state not in RUNNING:
        st.rerun()  # the whole page: what was computed is kept now
    seconds = (datetime.now(UTC) - process.started).total_seconds()
    st.info(
        f"{name}, since {seconds:.0f} s. This page shows it when it is done; it goes on if you "
        "leave.",
        icon=":material/hourglass_top:",
    )


def _draw_failure(name: str, message: str) -> None:
    st.error(f"{name} did not succeed:", icon=":material/error:")
    st.code(printable(message), language=None, wrap_lines=True)
    st.button("Try again", on_click=st.session_state.pop, args=(_TRIED, None), key=f"try {name}")
