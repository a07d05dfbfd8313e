"""All miners together on pages: what is kept of them, or how far the computing is."""

from functools import partial

import streamlit as st

from analytics.miners.background import last_report, start_report
from analytics.standings.together import MinersTogether, kept_together
from dashboards.miners.access import current_basis
from dashboards.parts.store_access import Version
from dashboards.parts.work_beside_page import Work, draw_work


def draw_until_together(version: Version) -> MinersTogether | None:
    """What rests on all miners together, after a line that says when it was computed.

    Where none is kept, or an older one, it is computed beside the page, which is drawn anew then.

    Returns:
        None where there is nothing to show yet.
    """
    kept, basis = kept_together(version.store), current_basis(version)
    if kept is None or kept.basis != basis:
        draw_work(
            Work(
                name="Looking at all miners together, for abilities, clones and memory",
                key="together",
                basis=basis,
                start=partial(start_report, version.store),
                last=partial(last_report, version.store),
            )
        )
    if kept is not None:
        made = f"{kept.made:%Y-%m-%d %H:%M} UTC"
        if kept.basis == basis:
            st.caption(f"All miners were looked at together {made}.")
        else:
            st.caption(
                f"**Out of date**: all miners were looked at together {made}; logs or the code "
                "changed since."
            )
    return kept
