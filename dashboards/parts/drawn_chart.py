"""Draws a chart with a description for readers who do not see it."""

from typing import Literal

import altair as alt
import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def draw_chart(
    chart: "alt.Chart | alt.LayerChart | alt.FacetChart",
    description: str,
    *,
    width: Literal["stretch", "content"] = "stretch",
    place: DeltaGenerator | None = None,
) -> None:
    """Draw a chart of Altair.

    Args:
        chart: one that follows the width, or has one of its own.
        description: what it shows, in a sentence; not of text of a log.
        width: `stretch` follows the page, `content` keeps the chart's own.
        place: the column that it goes to; None: the page.
    """
    # the chart has a name as a whole; Vega gives none to the groups of its marks
    named = chart.properties(description=description).configure_mark(aria=False)
    (place or st).altair_chart(named, width=width)
