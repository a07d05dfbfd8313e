"""Comparisons on pages: read where they are kept with the run, else computed beside the page.

No page waits for a comparison: a process of its own computes it, and the page is drawn anew when
that is done. Until then an older one is shown, with its time.
"""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from dashboards.parts import store_access
from dashboards.parts.page_connection import page_reading
from dashboards.parts.work_beside_page import Work, draw_work
from replay.comparing.background import last_comparison, start_comparison
from replay.comparing.kept_comparison import (
    Asked,
    KeptComparison,
    comparison_basis,
    kept_comparison,
)
from replay.runs.training_rows import trained_on


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
        draw_work(_work(version, _asked(run_id, other, slices=slices)))
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
    with page_reading(version.store) as connection:
        return comparison_basis(connection, asked, trained)


def _work(version: store_access.Version, asked: Asked) -> Work:
    return Work(
        name="Comparing with every miner",
        key=f"{asked.run} {asked.key}",
        basis=_basis(version, asked),
        start=partial(start_comparison, version.store, asked),
        last=partial(last_comparison, version.store, asked),
    )
