"""A chart of one image's gates or shares: the views as rectangles over the image."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboards.parts.view_cells import BOTTOM, cells, sides
from dashboards.parts.view_layers import background, values_in_views, view_names, view_position

_SIDE, _AROUND, _GRADIENT = 320, 90, 260
"""Pixels: of the plane, of the legend, which counts in a chart's height, and of its scale."""
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
    legend = alt.Legend(
        title=measure, orient="bottom", offset=0, gradientLength=_GRADIENT, format=".2f"
    )
    tooltip = [
        alt.Tooltip("name:N", title="view"),
        alt.Tooltip("value:Q", title=measure, format=".4f"),
    ]
    rectangles = (
        alt.Chart(frame)
        .mark_rect(stroke="white", strokeWidth=1, fillOpacity=1.0 if jpeg is None else _FILL)
        .encode(
            **view_position(),
            color=alt.Color("value:Q", scale=scale, legend=legend),
            tooltip=tooltip,
        )
    )
    layers = [
        *background(jpeg, _IMAGE),
        rectangles,
        *values_in_views(frame, tooltip),
        view_names(),
    ]
    layered = alt.layer(*layers).properties(width=_SIDE, height=_AROUND + _SIDE * BOTTOM)
    styled: alt.LayerChart | alt.FacetChart = layered.configure_view(stroke=None)
    return styled
