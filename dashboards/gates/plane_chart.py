"""Charts of views' shares or gates on the image plane, three views below it, over a faint image."""

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from analytics.gates.block_sums import Measure
from analytics.gates.mean_gates import GateMeans
from analytics.gates.view_means import ViewMeans
from dashboards.parts.view_cells import BOTTOM, cells, sides
from dashboards.parts.view_layers import (
    DARK,
    background,
    values_in_views,
    view_names,
    view_position,
)

_SIDE, _AROUND, _GRADIENT = 270, 150, 220
"""Pixels: of the plane, of title and legend, which count in a chart's height, of the scale."""
_FILL, _IMAGE = 0.6, 0.55
"""Opacities, where there is an image."""
_LEAST_RANGES: dict[Measure, float] = {"share": 0.005, "gate": 0.02}
"""Of the scale of differences, so that noise does not get full colours."""


def plane_charts(
    gates: GateMeans, jpeg: bytes | None = None
) -> list[alt.LayerChart | alt.FacetChart]:
    """Three planes of a phone's width: means of right answers, of wrong ones, and the difference.

    Args:
        gates: of 12 views. Means are coloured from the least to the largest of both.
        jpeg: an image that is drawn under them.
    """
    means = [mean for view in gates.views for mean in (view.right, view.wrong) if mean is not None]
    least, most = min(means, default=0.0), max(means, default=1.0)
    if least == most:  # a scale has to have two ends
        least, most = min(0.0, least), most or 1.0
    mean_scale = alt.Scale(domain=[least, most], scheme="viridis")
    # up to the farthest end of an interval, so that what may be chance stays pale
    ends = [end for view in gates.views for end in (view.difference, *(view.interval or ()))]
    largest = max([_LEAST_RANGES[gates.measure], *(abs(end) for end in ends if end is not None)])
    difference_scale = alt.Scale(domain=[-largest, largest], scheme="purpleorange", reverse=True)
    drawn: list[tuple[str, Callable[[ViewMeans], float | None], alt.Scale, str]] = [
        (f"Right answers, n = {gates.right:,}", lambda view: view.right, mean_scale, ".3f"),
        (f"Wrong answers, n = {gates.wrong:,}", lambda view: view.wrong, mean_scale, ".3f"),
        ("Right minus wrong", lambda view: view.difference, difference_scale, "+.3f"),
    ]
    return [_plane(gates, title, value, scale, form, jpeg) for title, value, scale, form in drawn]


def _plane(
    gates: GateMeans,
    title: str,
    value: Callable[[ViewMeans], float | None],
    scale: alt.Scale,
    form: str,
    jpeg: bytes | None,
) -> alt.LayerChart | alt.FacetChart:
    is_signed = form.startswith("+")
    frame = pd.DataFrame(
        [
            {**sides(cell.box), "name": cell.name, **_numbers(view, value(view), form)}
            for cell, view in zip(cells(), gates.views, strict=True)
        ]
    )
    legend = alt.Legend(
        title=f"difference of {gates.measure}s" if is_signed else gates.measure,
        orient="bottom",
        offset=0,
        gradientLength=_GRADIENT,
        format=form,
        tickCount=4,
    )
    position, tooltip = view_position(), _tooltip(gates.measure)
    rectangles = (
        alt.Chart(frame)
        .mark_rect(stroke="white", strokeWidth=1.5, fillOpacity=1.0 if jpeg is None else _FILL)
        .encode(
            **position,
            color=alt.Color("value:Q", scale=scale, legend=legend),
            tooltip=tooltip,
        )
    )
    layers = [*background(jpeg, _IMAGE), rectangles]
    if is_signed:
        layers.append(_significance_outlines(frame, position))
    layers += [*values_in_views(frame, tooltip), view_names()]
    layered = alt.layer(*layers).properties(
        width=_SIDE, height=_AROUND + _SIDE * BOTTOM, title=title
    )
    styled: alt.LayerChart | alt.FacetChart = layered.configure_title(
        anchor="start", fontSize=14
    ).configure_view(stroke=None)
    return styled


def _numbers(view: ViewMeans, value: float | None, form: str) -> dict[str, Any]:
    low, high = view.interval or (None, None)
    return {
        "value": value,
        "text": "–" if value is None else format(value, form),
        "right_answers": view.right,
        "wrong_answers": view.wrong,
        "difference": view.difference,
        "low": low,
        "high": high,
        "significant": low is not None and high is not None and (low > 0 or high < 0),
    }


def _tooltip(measure: Measure) -> list[alt.Tooltip]:
    numbers = {"right_answers": ".3f", "wrong_answers": ".3f"}
    numbers |= dict.fromkeys(("difference", "low", "high"), "+.3f")
    titles = {f"{side}_answers": f"{measure}, {side} answers" for side in ("right", "wrong")}
    return [
        alt.Tooltip("name:N", title="view"),
        *(
            alt.Tooltip(f"{name}:Q", format=form, title=titles.get(name, name))
            for name, form in numbers.items()
        ),
    ]


def _significance_outlines(frame: pd.DataFrame, position: dict[str, Any]) -> alt.Chart:
    """A heavy outline where the interval leaves 0 out."""
    chart: alt.Chart = alt.Chart(frame).mark_rect(fill=None, stroke=DARK, strokeWidth=2.5)
    return chart.encode(**position).transform_filter("datum.significant")
