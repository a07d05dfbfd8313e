"""Charts of views' shares or gates: the image plane (three views below), and intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analytics.gates.mean_gates import GateMeans, Measure, ViewMeans

Box = tuple[float, float, float, float]

VIEW_NAMES = (
    "global",
    *(f"grid {row},{column}" for row in (1, 2, 3) for column in (1, 2, 3)),
    "centre",
    "right",
)
"""As in `model.views.views`, which a page cannot import: it brings torch."""

# Tiles overlap: here each is drawn up to the middle of what it shares with the next.
_EDGES = (0.0, 0.35, 0.65, 1.0)
# The other views lie over the grid, so each has a small image of its own below it.
_INSET_SIDE, _INSET_TOP, _BOTTOM = 0.3, 1.13, 1.45
_INSET_LEFTS = (0.0, 0.35, 0.7)
_INSIDE: dict[str, Box] = {
    "global": (0.0, 0.0, 1.0, 1.0),
    "centre": (0.25, 0.25, 0.75, 0.75),
    "right": (0.0, 0.5, 1.0, 1.0),
}
_SIDE, _ROW = 270, 22
_DARK, _GREY, _LINE, _POINT = "#1b1f24", "#7c858e", "#8a8a8a", "#0072B2"
_BRIGHT = 0.6  # of the scale of means: text on brighter cells is dark
_LEAST_RANGES: dict[Measure, float] = {"share": 0.005, "gate": 0.02}
"""Of the scale of differences, so that noise does not get full colours."""


@dataclass(frozen=True)
class Cell:
    """A view as a rectangle (top, left, bottom, right) of the plane, and its frame if it has one.

    The grid fills the unit square; the other views stand below it.
    """

    name: str
    box: Box
    frame: Box | None


def cells() -> list[Cell]:
    """The 12 views in their order."""
    insets = dict(zip(_INSIDE, _INSET_LEFTS, strict=True))
    return [_inset(name, insets[name]) if name in insets else _tile(name) for name in VIEW_NAMES]


def _tile(name: str) -> Cell:
    row, column = (int(number) - 1 for number in name.removeprefix("grid ").split(","))
    box = (_EDGES[row], _EDGES[column], _EDGES[row + 1], _EDGES[column + 1])
    return Cell(name, box, None)


def _inset(name: str, left: float) -> Cell:
    top, inner_left, bottom, right = (_INSET_SIDE * part for part in _INSIDE[name])
    box = (_INSET_TOP + top, left + inner_left, _INSET_TOP + bottom, left + right)
    return Cell(name, box, (_INSET_TOP, left, _INSET_TOP + _INSET_SIDE, left + _INSET_SIDE))


def plane_charts(gates: GateMeans) -> list[alt.LayerChart | alt.FacetChart]:
    """Three planes of a phone's width: means of right answers, of wrong ones, and the difference.

    Args:
        gates: of 12 views. A gate is coloured on a scale from 0 to 1, a share on one up to the
            largest.
    """
    means = [mean for view in gates.views for mean in (view.right, view.wrong) if mean is not None]
    most = max(means, default=0.0) or 1.0
    if gates.measure == "gate":
        most = 1.0
    mean_scale = alt.Scale(domain=[0, most], scheme="viridis")
    # up to the farthest end of an interval, so that what may be chance stays pale
    ends = [end for view in gates.views for end in (view.difference, *(view.interval or ()))]
    largest = max([_LEAST_RANGES[gates.measure], *(abs(end) for end in ends if end is not None)])
    difference_scale = alt.Scale(domain=[-largest, largest], scheme="purpleorange", reverse=True)
    return [
        _plane(
            gates, f"Right answers, n = {gates.right:,}", lambda view: view.right, mean_scale, ".3f"
        ),
        _plane(
            gates, f"Wrong answers, n = {gates.wrong:,}", lambda view: view.wrong, mean_scale, ".3f"
        ),
        _plane(gates, "Right minus wrong", lambda view: view.difference, difference_scale, "+.3f"),
    ]


def _plane(
    gates: GateMeans,
    title: str,
    value: Callable[[ViewMeans], float | None],
    scale: alt.Scale,
    form: str,
) -> alt.LayerChart | alt.FacetChart:
    low, high = scale.domain
    rows = [_row(cell, view, value(view), form) for cell, view in _pairs(gates)]
    frame = pd.DataFrame(
        [{**row, "text_colour": _text_colour(row["value"], low, high)} for row in rows]
    )
    legend = alt.Legend(
        title=gates.measure if low == 0 else f"difference of {gates.measure}s",
        orient="bottom",
        offset=0,
        gradientLength=_SIDE,
        format=".2f" if low == 0 else "+.3f",
    )
    position: dict[str, Any] = {
        "x": alt.X("left:Q", scale=alt.Scale(domain=[0, 1]), axis=None),
        "x2": "right:Q",
        "y": alt.Y("top:Q", scale=alt.Scale(domain=[_BOTTOM, 0]), axis=None),
        "y2": "bottom:Q",
    }
    rectangles = (
        alt.Chart(frame)
        .mark_rect(stroke="white", strokeWidth=1.5)
        .encode(
            **position,
            color=alt.Color("value:Q", scale=scale, legend=legend),
            tooltip=_tooltip(gates.measure),
        )
    )
    layers = [_frames(position), rectangles, _values(frame, gates.measure), _names()]
    if form.startswith("+"):
        layers.insert(2, _significance_outlines(frame, position))
    layered = alt.layer(*layers).properties(width=_SIDE, height=_SIDE * _BOTTOM, title=title)
    styled: alt.LayerChart | alt.FacetChart = layered.configure_title(
        anchor="start", fontSize=14
    ).configure_view(stroke=None)
    return styled


def _pairs(gates: GateMeans) -> list[tuple[Cell, ViewMeans]]:
    return list(zip(cells(), gates.views, strict=True))


def _row(cell: Cell, view: ViewMeans, value: float | None, form: str) -> dict[str, Any]:
    low, high = view.interval or (None, None)
    top, left, bottom, right = cell.box
    return {
        "top": top,
        "left": left,
        "bottom": bottom,
        "right": right,
        "x": (left + right) / 2,
        "y": (top + bottom) / 2,
        "name": cell.name,
        "value": value,
        "text": "–" if value is None else format(value, form),
        "right_answers": view.right,
        "wrong_answers": view.wrong,
        "difference": view.difference,
        "low": low,
        "high": high,
        "significant": low is not None and high is not None and (low > 0 or high < 0),
    }


def _text_colour(value: float | None, low: float, high: float) -> str:
    """Dark or light text: means grow brighter, differences darker to both ends."""
    if value is None:
        return _GREY
    if low == 0:
        return _DARK if value > _BRIGHT * high else "white"
    return "white" if abs(value) > _BRIGHT * high else _DARK


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


def _frames(position: dict[str, Any]) -> alt.Chart:
    """The outline of the image around each small view."""
    frames = [cell.frame for cell in cells() if cell.frame is not None]
    frame = pd.DataFrame(frames, columns=["top", "left", "bottom", "right"])
    chart: alt.Chart = alt.Chart(frame).mark_rect(fill=None, stroke=_LINE, strokeWidth=1)
    return chart.encode(**position)


def _significance_outlines(frame: pd.DataFrame, position: dict[str, Any]) -> alt.Chart:
    """A heavy outline where the interval leaves 0 out."""
    chart: alt.Chart = alt.Chart(frame).mark_rect(fill=None, stroke=_DARK, strokeWidth=2.5)
    return chart.encode(**position).transform_filter("datum.significant")


def _values(frame: pd.DataFrame, measure: Measure) -> alt.Chart:
    chart: alt.Chart = alt.Chart(frame).mark_text(fontSize=12, fontWeight=600)
    return chart.encode(
        x="x:Q",
        y="y:Q",
        text="text:N",
        color=alt.Color("text_colour:N", scale=None),
        tooltip=_tooltip(measure),
    )


def _names() -> alt.Chart:
    """What the small views are, above each."""
    named = [(cell.name, *cell.frame[:2]) for cell in cells() if cell.frame is not None]
    frame = pd.DataFrame(named, columns=["name", "y", "x"])
    chart: alt.Chart = alt.Chart(frame).mark_text(
        align="left", baseline="bottom", dy=-4, color=_GREY, fontSize=12
    )
    return chart.encode(x="x:Q", y="y:Q", text="name:N")


def intervals_chart(gates: GateMeans, names: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """Right minus wrong of every view with its interval, a row a view."""
    rows = [
        {"name": name, "order": view.view, **_interval(view)}
        for name, view in zip(names, gates.views, strict=True)
    ]
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "name:N",
            sort=alt.SortField("order"),
            axis=alt.Axis(title=None, ticks=False, labelOverlap=False, labelFlush=False),
        )
    )
    axis = alt.X("difference:Q", title=f"← larger {gates.measure} where wrong · where right →")
    rule = base.mark_rule(color=_POINT, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    point = base.mark_point(filled=True, size=80, opacity=1, color=_POINT, shape="diamond")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3], color=_LINE)
    layered: alt.LayerChart | alt.FacetChart = alt.layer(
        zero.encode(x="zero:Q"),
        rule.transform_filter("isValid(datum.low)"),
        point.encode(
            x=axis,
            tooltip=[
                "name:N",
                *(alt.Tooltip(f"{n}:Q", format="+.3f") for n in ("difference", "low", "high")),
            ],
        ),
    )
    return layered.properties(height=_ROW * len(rows))


def _interval(view: ViewMeans) -> dict[str, float | None]:
    low, high = view.interval or (None, None)
    return {"difference": view.difference, "low": low, "high": high}
