"""Section: labels that able miners contradict, as a queue to look through."""

import pandas as pd
import streamlit as st

from analytics.miners.kept_estimates import KeptEstimates, kept_estimates
from analytics.miners.wrong_labels import SuspectedLabel
from dashboards.challenges.challenge_table import step_to
from dashboards.parts.miners_report import draw_until_estimated
from dashboards.parts.store_access import Version
from dashboards.parts.table import draw_table
from data.text import printable

_MOST = 1_000

_READING = (
    "A label is suspected where more than half of the votes of able miners are against it beyond "
    "chance: an exact binomial test, corrected over images (5% of those listed may be listed "
    "falsely). Able: the interval of the miner's ability lies above the mean. A miner has one vote "
    "for an image, its first answer, and clones have one together. A deceptive image looks like a "
    "wrong label, so look at each."
)


def draw_doubtful_labels(version: Version, *, told: bool) -> None:
    """Draw the queue, once the user asks for it.

    Args:
        version: of the store.
        told: the page said already how old it is, or how far the computing is.
    """
    st.header("Doubtful labels", divider="gray")
    if not st.toggle("Show the queue", key="doubtful", bind="query-params"):
        st.caption("Labels that able miners contradict; for a large store this takes minutes.")
        return
    kept = kept_estimates(version.store) if told else draw_until_estimated(version)
    if kept is not None:
        _draw_queue(kept)


def _draw_queue(kept: KeptEstimates) -> None:
    found = kept.labels
    if found is None:
        st.text(f"No label can be judged: {printable(kept.no_model or 'no model')}")
        return
    st.markdown(
        f"**{len(found.suspected):,} of {found.images_tested:,}** source images have a doubtful "
        f"label, by the votes of {found.voters:,} of {found.able_miners:,} able miners (clones "
        f"vote once); {found.images_left_out:,} images had fewer than 5 votes and were left out."
    )
    if not found.suspected:
        return
    shown = found.suspected[:_MOST]
    if len(shown) < len(found.suspected):
        st.caption(f"The surest {_MOST:,} are listed; streetreplay miners --json has all.")
    draw_table(
        pd.DataFrame([_row(one) for one in shown]),
        "doubtful_labels.csv",
        {
            "p": st.column_config.NumberColumn(format="%.2g", help="After correction."),
            "Label": st.column_config.NumberColumn(help="Scored: 1 is roadwork."),
        },
        shares=("Against", "95% from", "95% to"),
        all_rows=False,
    )
    _draw_opening(shown)
    st.caption(_READING)


def _row(one: SuspectedLabel) -> dict[str, object]:
    low, high = one.interval
    return {
        "Source image": printable(one.source_image, 120),
        "Label": one.label,
        "Votes": one.votes,
        "Against": one.share,
        "95% from": low,
        "95% to": high,
        "p": one.p_value,
        "Challenges": one.challenges,
        "First challenge": printable(one.challenge_id, 64),
    }


def _draw_opening(shown: list[SuspectedLabel]) -> None:
    """Open one of them, beside the buttons of the list."""
    names = [f"{number} · {printable(one.source_image, 60)}" for number, one in enumerate(shown, 1)]
    number = st.selectbox(
        "Open the first challenge of", range(len(shown)), format_func=names.__getitem__, index=None
    )
    st.button(
        "Open",
        key="open doubtful",
        disabled=number is None,
        on_click=step_to,
        args=(None if number is None else shown[number].challenge_id,),
    )
