"""Layers of a chart of views on the image plane: the image, values in their views, and names."""

import base64
from typing import Any

import altair as alt
import pandas as pd

from dashboards.parts.view_cells import BOTTOM, cells, planes, sides

DARK = "#1b1f24"
_GREY, _LINE = "#7c858e", "#8a8a8a"


def view_position() -> dict[str, Any]:
    """The channels of a rectangle whose columns are those of `view_cells.sides`."""
    return {
        "x": alt.X("left:Q", scale=alt.Scale(domain=[0, 1]), axis=None),
        "x2": "right:Q",
        "y": alt.Y("top:Q", scale=alt.Scale(domain=[BOTTOM, 0]), axis=None),
        "y2": "bottom:Q",
    }


def background(jpeg: bytes | None, opacity: float) -> list[alt.Chart]:
    """The image on white, also in a dark theme, or the outlines of where it would be."""
    position, frame = view_position(), pd.DataFrame([sides(box) for box in planes()])
    if jpeg is None:
        outlines = alt.Chart(frame).mark_rect(fill=None, stroke=_LINE, strokeWidth=1)
        return [outlines.encode(**position)]
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    paper = alt.Chart(frame).mark_rect(fill="white", stroke=_LINE, strokeWidth=1)
    image = alt.Chart(frame).mark_image(url=url, aspect=False, opacity=opacity)
    return [paper.encode(**position), image.encode(**position)]


def values_in_views(frame: pd.DataFrame, tooltip: list[alt.Tooltip]) -> list[alt.Chart]:
    """The column `text` in each view: white on a dark outline, legible on any colour and image."""
    outline = alt.Chart(frame).mark_text(
        fontSize=12,
        fontWeight=700,
        fill="white",
        stroke=DARK,
        strokeWidth=3,
        strokeOpacity=0.85,
        strokeJoin="round",
    )
    front = alt.Chart(frame).mark_text(fontSize=12, fontWeight=700, fill="white")
    return [
        layer.encode(x="x:Q", y="y:Q", text="text:N", tooltip=tooltip) for layer in (outline, front)
    ]


def view_names() -> alt.Chart:
    """What the small views are, above each."""
    named = [(cell.name, *cell.frame[:2]) for cell in cells() if cell.frame is not None]
    frame = pd.DataFrame(named, columns=["name", "y", "x"])
    chart: alt.Chart = alt.Chart(frame).mark_text(
        align="left", baseline="bottom", dy=-4, color=_GREY, fontSize=12
    )
    return chart.encode(x="x:Q", y="y:Q", text="name:N")
