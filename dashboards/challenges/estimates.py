"""Difficulties and doubtful labels on the page: what is kept, or how far the computing is."""

from functools import partial

import streamlit as st

from analytics.miners.background import last_report, start_report
from analytics.miners.kept_estimates import KeptEstimates, kept_estimates
from dashboards.challenges.access import current_basis
from dashboards.parts.store_access import Version
from dashboards.parts.work_beside_page import Work, draw_work


def draw_until_estimated(version: Version) -> KeptEstimates | None:
    """The estimates to show; where none are kept, or older ones, they are computed beside the page.

    Returns:
        None where there is nothing to show yet, after a line that says so.
    """
    kept, basis = kept_estimates(version.store), current_basis(version)
    if kept is None or kept.basis != basis:
        draw_work(
            Work(
                name="Estimating difficulties and doubtful labels",
                key="estimates",
                basis=basis,
                start=partial(start_report, version.store),
                last=partial(last_report, version.store),
            )
        )
    if kept is not None:
        made = f"{kept.made:%Y-%m-%d %H:%M} UTC"
        if kept.basis == basis:
            st.caption(f"Difficulties and doubtful labels are of {made}, of all logs in the store.")
        else:
            st.caption(
                f"**Out of date**: difficulties and doubtful labels are of {made}; logs or the "
                "code changed since."
            )
    return kept
