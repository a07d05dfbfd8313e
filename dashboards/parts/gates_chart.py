"""Gates drawn on the image plane: the grid as it lies, the three other views beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analytics.gates.mean_gates import GateMeans, ViewGate

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
_SMALL, _SMALL_TOP, _BOTTOM = 0.3, 1.13, 1.45
_SMALL_LEFTS = (0.0, 0.35, 0.7)
_INSIDE: dict[str, Box] = {
    "global": (0.0, 0.0, 1.0, 1.0),
    "centre": (0.25, 0.25, 0.75, 0.75),
    "right": (0.0, 0.5, 1.0, 1.0),
}
_SIDE, _ROW, _INTERVALS = 270, 22, 560
_INK, _QUIET, _LINE, _POINT = "#1b1f24", "#7c858e", "#8a8a8a", "#0072B2"
_BRIGHT = 0.6  # of the scale of gates: text on brighter cells is dark
_LEAST_RANGE = 0.02  # of differences, so that noise does not get full colours


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
    small = dict(zip(_INSIDE, _SMALL_LEFTS, strict=True))
    return [_small(name, small[name]) if name in small else _tile(name) for name in VIEW_NAMES]


def _tile(name: str) -> Cell:
    row, column = (int(number) - 1 for number in name.removeprefix("grid ").split(","))
    box = (_EDGES[row], _EDGES[column], _EDGES[row + 1], _EDGES[column + 1])
    return Cell(name, box, None)


def _small(name: str, left: float) -> Cell:
    top, inner_left, bottom, right = (_SMALL * part for part in _INSIDE[name])
    box = (_SMALL_TOP + top, left + inner_left, _SMALL_TOP + bottom, left + right)
    return Cell(name, box, (_SMALL_TOP, left, _SMALL_TOP + _SMALL, left + _SMALL))


def planes_chart(found: GateMeans) -> alt.HConcatChart:
    """Three planes: the mean gates of right answers, of wrong ones, and right minus wrong.

    Args:
        found: gates of 12 views.
    """
    gates = alt.Scale(domain=[0, 1], scheme="viridis")
    # up to the farthest end of an interval, so that what may be chance stays pale
    ends = [end for v in found.views for end in (v.difference, *(v.interval or ()))]
    largest = max([_LEAST_RANGE, *(abs(end) for end in ends if end is not None)])
    differences = alt.Scale(domain=[-largest, largest], scheme="purpleorange", reverse=True)
    planes = [
        _plane(found, f"Right answers, n = {found.right:,}", lambda v: v.right, gates, ".3f"),
        _plane(found, f"Wrong answers, n = {found.wrong:,}", lambda v: v.wrong, gates, ".3f"),
        _plane(found, "Right minus wrong", lambda v: v.difference, differences, "+.3f"),
    ]
    chart: alt.HConcatChart = alt.hconcat(*planes, spacing=36).resolve_scale(color="independent")
    styled: alt.HConcatChart = chart.configure_title(anchor="start", fontSize=14)
    return styled.configure_view(stroke=None)  # type: ignore[no-any-return]


def _plane(
    found: GateMeans,
    title: str,
    value: Callable[[ViewGate], float | None],
    scale: alt.Scale,
    form: str,
) -> alt.LayerChart | alt.FacetChart:
    low, high = scale.domain
    rows = [_row(cell, view, value(view), form) for cell, view in _pairs(found)]
    frame = pd.DataFrame([{**row, "ink": _ink(row["value"], low, high)} for row in rows])
    legend = alt.Legend(
        title="gate" if low == 0 else "difference of gates",
        orient="bottom",
        offset=0,
        gradientLength=_SIDE,
        format=".2f" if low == 0 else "+.2f",
    )
    place: dict[str, Any] = {
        "x": alt.X("left:Q", scale=alt.Scale(domain=[0, 1]), axis=None),
        "x2": "right:Q",
        "y": alt.Y("top:Q", scale=alt.Scale(domain=[_BOTTOM, 0]), axis=None),
        "y2": "bottom:Q",
    }
    cells_drawn = (
        alt.Chart(frame)
        .mark_rect(stroke="white", strokeWidth=1.5)
        .encode(
            **place,
            color=alt.Color("value:Q", scale=scale, legend=legend),
            tooltip=_tooltip(),
        )
    )
    layers = [_frames(place), cells_drawn, _values(frame), _names()]
    if form.startswith("+"):
        layers.insert(2, _sure(frame, place))
    layered: alt.LayerChart | alt.FacetChart = alt.layer(*layers).properties(
        width=_SIDE, height=_SIDE * _BOTTOM, title=title
    )
    return layered


def _pairs(found: GateMeans) -> list[tuple[Cell, ViewGate]]:
    return list(zip(cells(), found.views, strict=True))


def _row(cell: Cell, view: ViewGate, value: float | None, form: str) -> dict[str, Any]:
    low, high = view.interval or (None, None)
    top, left, bottom, right = cell.box
    return {
        **{"top": top, "left": left, "bottom": bottom, "right": right},
        **{"x": (left + right) / 2, "y": (top + bottom) / 2},
        "name": cell.name,
        "value": value,
        "words": "–" if value is None else format(value, form),
        "gate_right": view.right,
        "gate_wrong": view.wrong,
        "difference": view.difference,
        **{"low": low, "high": high},
        "sure": low is not None and high is not None and (low > 0 or high < 0),
    }


def _ink(value: float | None, low: float, high: float) -> str:
    """Dark or light text: gates grow brighter, differences darker to both ends."""
    if value is None:
        return _QUIET
    if low == 0:
        return _INK if value > _BRIGHT else "white"
    return "white" if abs(value) > _BRIGHT * high else _INK


def _tooltip() -> list[alt.Tooltip]:
    numbers = {"gate_right": ".3f", "gate_wrong": ".3f"}
    numbers |= dict.fromkeys(("difference", "low", "high"), "+.3f")
    titles = {"gate_right": "gate, right answers", "gate_wrong": "gate, wrong answers"}
    return [
        alt.Tooltip("name:N", title="view"),
        *(
            alt.Tooltip(f"{name}:Q", format=form, title=titles.get(name, name))
            for name, form in numbers.items()
        ),
    ]


def _frames(place: dict[str, Any]) -> alt.Chart:
    """The outline of the image around each small view."""
    frames = [cell.frame for cell in cells() if cell.frame is not None]
    frame = pd.DataFrame(frames, columns=["top", "left", "bottom", "right"])
    drawn: alt.Chart = alt.Chart(frame).mark_rect(fill=None, stroke=_LINE, strokeWidth=1)
    return drawn.encode(**place)


def _sure(frame: pd.DataFrame, place: dict[str, Any]) -> alt.Chart:
    """A heavy outline where the interval leaves 0 out."""
    drawn: alt.Chart = alt.Chart(frame).mark_rect(fill=None, stroke=_INK, strokeWidth=2.5)
    return drawn.encode(**place).transform_filter("datum.sure")


def _values(frame: pd.DataFrame) -> alt.Chart:
    drawn: alt.Chart = alt.Chart(frame).mark_text(fontSize=12, fontWeight=600)
    return drawn.encode(
        x="x:Q", y="y:Q", text="words:N", color=alt.Color("ink:N", scale=None), tooltip=_tooltip()
    )


def _names() -> alt.Chart:
    """What the small views are, above each."""
    named = [(cell.name, *cell.frame[:2]) for cell in cells() if cell.frame is not None]
    frame = pd.DataFrame(named, columns=["name", "y", "x"])
    drawn: alt.Chart = alt.Chart(frame).mark_text(
        align="left", baseline="bottom", dy=-4, color=_QUIET, fontSize=12
    )
    return drawn.encode(x="x:Q", y="y:Q", text="name:N")


def intervals_chart(found: GateMeans, names: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """Right minus wrong of every view with its interval, a row a view."""
    rows = [
        {"name": name, "place": view.view, **_interval(view)}
        for name, view in zip(names, found.views, strict=True)
    ]
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "name:N",
            sort=alt.SortField("place"),
            axis=alt.Axis(title=None, ticks=False, labelOverlap=False, labelFlush=False),
        )
    )
    axis = alt.X("difference:Q", title="← more open where wrong · where right →")
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
    return layered.properties(width=_INTERVALS, height=_ROW * len(rows))


def _interval(view: ViewGate) -> dict[str, float | None]:
    low, high = view.interval or (None, None)
    return {"difference": view.difference, "low": low, "high": high}
