"""The report on all miners, of which pages show parts: made beside them where it is old."""

from datetime import datetime
from functools import partial
from typing import Protocol

import streamlit as st

from analytics.miners.background import last_report, start_report
from analytics.miners.kept_estimates import KeptEstimates, estimates_basis, kept_estimates
from analytics.standings.together import MinersTogether, kept_together
from dashboards.parts.page_connection import page_reading
from dashboards.parts.store_access import Version
from dashboards.parts.work_beside_page import Work, draw_work


class _KeptPart(Protocol):
    """A kept part of the report: what it rests on, and when it was made, UTC."""

    @property
    def basis(self) -> str:
        """By `estimates_basis`."""

    @property
    def made(self) -> datetime:
        """When."""


def draw_until_estimated(version: Version) -> KeptEstimates | None:
    """Difficulties and doubtful labels, after a line that says when they were estimated.

    Where none are kept, or older ones, they are computed beside the page.

    Returns:
        None where there is nothing to show yet.
    """
    kept = kept_estimates(version.store)
    _draw_state(
        version,
        kept,
        "Estimating difficulties and doubtful labels",
        "Difficulties and doubtful labels are",
    )
    return kept


def draw_until_together(version: Version) -> MinersTogether | None:
    """The same for what rests on all miners together."""
    kept = kept_together(version.store)
    _draw_state(
        version,
        kept,
        "Looking at all miners together, for abilities, clones and memory",
        "Abilities, clones and memory are",
    )
    return kept


def _draw_state(version: Version, kept: _KeptPart | None, doing: str, shown: str) -> None:
    """When a part was made, and how far a new report is where it is missing or out of date."""
    basis = report_basis(version)
    if kept is None or kept.basis != basis:
        draw_work(
            Work(
                name=doing,
                key="miners' report",
                basis=basis,
                start=partial(start_report, version.store),
                last=partial(last_report, version.store),
            )
        )
    if kept is None:
        return
    sentence = f"{shown} of {kept.made:%Y-%m-%d %H:%M} UTC"
    if kept.basis == basis:
        st.caption(f"{sentence}, of all logs in the store.")
    else:
        st.caption(f"**Out of date**: {sentence}; logs or the code changed since.")


@st.cache_data(max_entries=4, show_spinner=False)
def report_basis(version: Version) -> str:
    """What a report on all miners would rest on now."""
    with page_reading(version.store) as connection:
        return estimates_basis(connection)
