"""A chart of one image's gates or shares: the views as rectangles over the image."""

import base64
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from dashboards.parts.view_cells import BOTTOM, cells, planes, sides

_SIDE, _AROUND, _GRADIENT = 320, 90, 260
"""Pixels: of the plane, of the legend, which counts in a chart's height, and of its scale."""
_DARK, _LINE = "#1b1f24", "#8a8a8a"
_FILL, _IMAGE = 0.45, 0.9
"""Opacities."""


def gates_over_image(
    values: Sequence[float], measure: str, jpeg: bytes | None
) -> alt.LayerChart | alt.FacetChart:
    """Rectangles coloured by value, over the image where there is one.

    Args:
        values: of the 12 views in their order, 0..1.
        measure: what they are.
        jpeg: the image.
    """
    most = max(values) or 1.0
    scale = alt.Scale(domain=[0, 1.0 if measure == "gate" else most], scheme="viridis")
    rows = [
        {**sides(cell.box), "name": cell.name, "value": value, "text": f"{value:.3f}"}
        for cell, value in zip(cells(), values, strict=True)
    ]
    frame = pd.DataFrame(rows)
    x = alt.X("left:Q", scale=alt.Scale(domain=[0, 1]), axis=None)
    y = alt.Y("top:Q", scale=alt.Scale(domain=[BOTTOM, 0]), axis=None)
    position: dict[str, Any] = {"x": x, "x2": "right:Q", "y": y, "y2": "bottom:Q"}
    rectangles = (
        alt.Chart(frame)
        .mark_rect(stroke="white", strokeWidth=1, fillOpacity=1.0 if jpeg is None else _FILL)
        .encode(
            **position,
            color=alt.Color(
                "value:Q",
                scale=scale,
                legend=alt.Legend(
                    title=measure, orient="bottom", offset=0, gradientLength=_GRADIENT, format=".2f"
                ),
            ),
            tooltip=[
                alt.Tooltip("name:N", title="view"),
                alt.Tooltip("value:Q", title=measure, format=".4f"),
            ],
        )
    )
    text = alt.Chart(frame).mark_text(
        fontSize=12, fontWeight=700, fill="white", stroke=_DARK, strokeWidth=2.5, strokeOpacity=0.7
    )
    front = alt.Chart(frame).mark_text(fontSize=12, fontWeight=700, fill="white")
    middle = {"x": "x:Q", "y": "y:Q", "text": "text:N"}
    layers = [] if jpeg is None else [_images(jpeg, position)]
    layers += [
        _frames(position),
        rectangles,
        text.encode(**middle),
        front.encode(**middle),
        _names(),
    ]
    layered = alt.layer(*layers).properties(width=_SIDE, height=_AROUND + _SIDE * BOTTOM)
    styled: alt.LayerChart | alt.FacetChart = layered.configure_view(stroke=None)
    return styled


def _images(jpeg: bytes, position: dict[str, Any]) -> alt.Chart:
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    frame = pd.DataFrame([sides(box) for box in planes()])
    chart: alt.Chart = alt.Chart(frame).mark_image(url=url, aspect=False, opacity=_IMAGE)
    return chart.encode(**position)


def _frames(position: dict[str, Any]) -> alt.Chart:
    frame = pd.DataFrame([sides(box) for box in planes()])
    chart: alt.Chart = alt.Chart(frame).mark_rect(fill=None, stroke=_LINE, strokeWidth=1)
    return chart.encode(**position)


def _names() -> alt.Chart:
    """What the small views are, above each."""
    named = [(cell.name, *cell.frame[:2]) for cell in cells() if cell.frame is not None]
    frame = pd.DataFrame(named, columns=["name", "y", "x"])
    chart: alt.Chart = alt.Chart(frame).mark_text(
        align="left", baseline="bottom", dy=-4, color=_LINE, fontSize=12
    )
    return chart.encode(x="x:Q", y="y:Q", text="name:N")
