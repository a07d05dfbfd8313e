"""A chart of differences of views' means with their intervals, a row a view."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from analytics.gates.two_runs import ViewChange
from analytics.gates.view_means import ViewMeans

_ROW, _AROUND = 22, 60
"""Pixels of a view's row, and of the axis: a chart that follows the width counts it in."""
_LINE, _POINT = "#8a8a8a", "#0072B2"


def difference_chart(
    views: Sequence[ViewMeans | ViewChange], names: Sequence[str], title: str
) -> alt.LayerChart | alt.FacetChart:
    """The differences.

    Args:
        views: each with a `difference` and its `interval`, None where there is none.
        names: of the views, in their order.
        title: of the axis: what lies left of 0, what right.
    """
    rows = []
    for name, view in zip(names, views, strict=True):
        low, high = view.interval or (None, None)
        rows.append({"name": name, "difference": view.difference, "low": low, "high": high})
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            "name:N",
            sort=list(names),
            axis=alt.Axis(title=None, ticks=False, labelOverlap=False, labelFlush=False),
        )
    )
    rule = base.mark_rule(color=_POINT, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    point = base.mark_point(filled=True, size=80, opacity=1, color=_POINT, shape="diamond")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3], color=_LINE)
    layered: alt.LayerChart | alt.FacetChart = alt.layer(
        zero.encode(x="zero:Q"),
        rule.transform_filter("isValid(datum.low)"),
        point.encode(
            x=alt.X("difference:Q", title=title, axis=alt.Axis(tickCount=6)),
            tooltip=[
                "name:N",
                *(alt.Tooltip(f"{n}:Q", format="+.3f") for n in ("difference", "low", "high")),
            ],
        ),
    )
    return layered.properties(height=_AROUND + _ROW * len(rows))
