"""The report on all miners, of which pages show parts: made beside them where it is old."""

from datetime import datetime
from functools import partial
from typing import Protocol

import streamlit as st

from analytics.miners.background import last_report, start_report
from analytics.miners.kept_estimates import estimates_basis
from dashboards.parts.page_connection import page_reading
from dashboards.parts.store_access import Version
from dashboards.parts.work_beside_page import Work, draw_work


class KeptPart(Protocol):
    """A kept part of the report: what it rests on, and when it was made, UTC."""

    @property
    def basis(self) -> str:
        """By `estimates_basis`."""

    @property
    def made(self) -> datetime:
        """When."""


def draw_report_state(version: Version, kept: KeptPart | None, doing: str, shown: str) -> None:
    """Draw when a part was made, and how far a new report is where it is missing or out of date.

    Args:
        version: of the warehouse.
        kept: the part that the page shows; None without one.
        doing: what is said while it is computed.
        shown: what the part is, in a sentence's beginning such as "Difficulties are".
    """
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
