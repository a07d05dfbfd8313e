"""Comparisons on pages: read where they are kept with the run, else computed beside the page.

No page waits for a comparison: a process of its own computes it, and the page is drawn anew when
that is done. Until then an older one is shown, with its time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from analytics.warehouse.connection import reading
from dashboards.parts import store_access
from data.background.log_tail import log_tail
from data.background.process import RUNNING, BackgroundProcess
from data.errors import StreetReplayError
from data.store import Store
from data.text import printable
from replay.comparing.background import last_comparison, start_comparison
from replay.comparing.kept_comparison import (
    Asked,
    KeptComparison,
    comparison_basis,
    kept_comparison,
)
from replay.runs.training_rows import trained_on

_EVERY_SECONDS = 2
_TRIED = "comparisons_tried"


@dataclass(frozen=True)
class ShownComparison:
    """A comparison, whether it rests on what the store holds now, and has all that was asked."""

    kept: KeptComparison
    current: bool
    complete: bool


def find_comparison(
    version: store_access.Version, run_id: str, other: str | None = None, *, slices: bool = False
) -> ShownComparison | None:
    """The comparison that is kept with a run; None where there is none yet.

    One that lacks the slices is found where they are asked for and not there yet.
    """
    asked = _asked(run_id, other, slices=slices)
    basis = _basis(version, asked)
    without = _asked(run_id, other, slices=False)
    for wanted, look_for in ((basis, asked), (basis, without), (None, asked), (None, without)):
        kept = kept_comparison(version.store, look_for, wanted)
        if kept is not None:
            return ShownComparison(kept, wanted is not None, look_for == asked)
    return None


def draw_until_compared(
    version: store_access.Version, run_id: str, other: str | None = None, *, slices: bool = False
) -> KeptComparison | None:
    """The comparison to draw, after a line that says when it was computed.

    Where none is kept, or an older one, it is computed, and the page drawn anew when it is there.

    Returns:
        None where there is nothing to show yet.
    """
    shown = find_comparison(version, run_id, other, slices=slices)
    if shown is None or not (shown.current and shown.complete):
        _draw_work(version, _asked(run_id, other, slices=slices))
    if shown is None:
        return None
    made = f"{shown.kept.made:%Y-%m-%d %H:%M} UTC"
    if shown.current:
        st.caption(f"Compared {made}, on all that the store holds now.")
    else:
        st.caption(
            f"**Out of date**: compared {made}; the logs, the run or the code changed since."
        )
    return shown.kept


def _asked(run_id: str, other: str | None, *, slices: bool) -> Asked:
    asked = Asked(run_id, other)
    return asked.with_slices if slices else asked


@st.cache_data(max_entries=32, show_spinner=False)
def _basis(version: store_access.Version, asked: Asked) -> str:
    names = [asked.run] if asked.other is None else [asked.run, asked.other]
    trained = [trained_on(version.store, name) for name in names]
    with reading(version.store) as connection:
        return comparison_basis(connection, asked, trained)


def _draw_work(version: store_access.Version, asked: Asked) -> None:
    """Draw how far the computing is; start it, once a visit, where it is not done."""
    tried, key = st.session_state.setdefault(_TRIED, {}), (asked.run, asked.key)
    process, basis = last_comparison(version.store, asked), _basis(version, asked)
    if not _runs(process) and (key, basis) not in tried:
        tried[key, basis] = _refusal(version.store, asked)
        process = last_comparison(version.store, asked)
    if process is not None and _runs(process):
        st.fragment(_draw_progress, run_every=_EVERY_SECONDS)(process)
        return
    lines = [] if process is None else log_tail(process.log, 1)
    _draw_failure(tried.get((key, basis)) or " ".join(lines) or "it ended without a word")


def _refusal(store: Store, asked: Asked) -> str | None:
    """Start it; why it could not be started, if so."""
    try:
        start_comparison(store, asked)
    except (StreetReplayError, OSError) as error:
        return str(error)
    return None


def _runs(process: BackgroundProcess | None) -> bool:
    return process is not None and process.state in RUNNING


def _draw_progress(process: BackgroundProcess) -> None:
    if process.state not in RUNNING:
        st.rerun()  # the whole page: what was computed is kept now
    seconds = (datetime.now(UTC) - process.started).total_seconds()
    st.info(
        f"Comparing with every miner, since {seconds:.0f} s. This page shows it when it is done; "
        "it goes on if you leave.",
        icon=":material/hourglass_top:",
    )


def _draw_failure(message: str) -> None:
    st.error("The comparison could not be computed:", icon=":material/error:")
    st.code(printable(message), language=None, wrap_lines=True)
    st.button("Try again", on_click=st.session_state.pop, args=(_TRIED, None))
