"""Section: challenges over time, by era or by source."""

import altair as alt
import pandas as pd
import streamlit as st

from analytics.queries.challenges_over_time import ChallengesOverTime
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.table import draw_table
from data.text import printable

_HEIGHT = 260
_NAMES = {"Era": "era", "Source": "source"}


def draw_over_time(over_time: ChallengesOverTime, left_out: int) -> None:
    """Draw it.

    Args:
        over_time: the counts.
        left_out: how many challenges carry no time.
    """
    total = sum(one.challenges for one in over_time.counts)
    hours = over_time.width.total_seconds() / 3600
    width = f"{hours:.0f} hours" if hours < 24 else f"{hours / 24:.0f} days"  # noqa: PLR2004
    by = _NAMES[st.radio("Colour by", list(_NAMES), horizontal=True, key="by", bind="query-params")]
    frame = pd.DataFrame(
        {
            "start": one.start,
            "end": one.start + over_time.width,
            "era": one.era,
            "source": "none logged" if one.source is None else printable(one.source, 40),
            "challenges": one.challenges,
        }
        for one in over_time.counts
    )
    draw_chart(_bars(frame, by), f"Challenges in bins of {width}, by {by}.")
    st.caption(f"{total:,} challenges in bins of {width}; {left_out:,} without a time left out.")
    with st.expander("The table behind it"):
        draw_table(frame, "challenges_over_time.csv", {}, all_rows=False)


def _bars(frame: pd.DataFrame, by: str) -> alt.Chart:
    chart: alt.Chart = alt.Chart(frame, height=_HEIGHT).mark_bar(orient="vertical", binSpacing=0)
    return chart.encode(
        # times without a zone are drawn as they are, whatever the browser's zone is
        x=alt.X("start:T", title="Time (UTC)"),
        x2="end:T",
        y=alt.Y("challenges:Q", title="Challenges", stack="zero"),
        color=alt.Color(f"{by}:N", title=None, legend=alt.Legend(orient="bottom")),
        tooltip=[
            alt.Tooltip("start:T", title="from (UTC)", format="%Y-%m-%d %H:%M"),
            alt.Tooltip("era:N"),
            alt.Tooltip("source:N"),
            alt.Tooltip("challenges:Q", format=","),
        ],
    )
