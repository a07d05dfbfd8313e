"""Charts of NULL rates: fields by kind, by era, and by label with intervals."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from analytics.leaks.null_kinds import KINDS, Kind, LabelGap, NullKinds

KIND_NAMES: Mapping[Kind, str] = {
    "any": "any",
    "absent": "absent",
    "json_null": "null",
    "empty": "empty",
    "word": "a word",
}
# Okabe and Ito's palette; the shapes tell the two apart without it.
_LABELS = {0: "0 · no roadwork", 1: "1 · roadwork"}
_COLOURS, _SHAPES = ["#0072B2", "#D55E00"], ["circle", "diamond"]
_BRIGHT, _DARK = 0.55, "#1b1f24"
# Pixels of a field's row, and of axis and legend: a chart that follows the width counts them in.
_ROW, _AROUND = 26, 130


def _field_axis(*, grid: bool) -> alt.Axis:
    return alt.Axis(
        title=None, ticks=False, domain=False, grid=grid, labelLimit=150, labelOverlap=False
    )


def kinds_heatmap(rows: Sequence[NullKinds]) -> alt.LayerChart | alt.FacetChart:
    """A row a field, a column a kind of NULL.

    Args:
        rows: one a field.
    """
    order = [KIND_NAMES[kind] for kind in ("any", *KINDS[:-1])]
    cells = ((KIND_NAMES[kind], one, kind) for one in rows for kind in KINDS)
    return _heatmap(_frame(cells), order, "NULL because it is")


def eras_heatmap(rows: Sequence[NullKinds], eras: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """A row a field, a column an era; NULLs of any kind.

    Args:
        rows: one a field and era.
        eras: in their order.
    """
    cells = ((one.era or "", one, KINDS[-1]) for one in rows)
    return _heatmap(_frame(cells), list(eras), "Era")


def _frame(cells: Iterable[tuple[str, NullKinds, Kind]]) -> pd.DataFrame:
    return pd.DataFrame([_cell(column, one, kind) for column, one, kind in cells])


def _cell(column: str, one: NullKinds, kind: Kind) -> dict[str, Any]:
    rate, (low, high) = one.rate(kind), one.interval(kind)
    return {
        "field": one.field,
        "column": column,
        "rate": rate,
        "low": low if one.n else None,
        "high": high if one.n else None,
        "nulls": one.count(kind),
        "n": one.n,
        "unreadable": one.unreadable,
        "text": "–" if rate is None else _percent(rate),
    }


def _percent(rate: float) -> str:
    """Rounded, but to 0 or 100 only where it is that."""
    if 0 < rate < 0.01:  # noqa: PLR2004
        return "<1"
    if 0.99 < rate < 1:  # noqa: PLR2004
        return ">99"
    return f"{100 * rate:.0f}"


def _heatmap(
    frame: pd.DataFrame, columns: Sequence[str], title: str
) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(frame).encode(
        x=alt.X(
            "column:N",
            sort=list(columns),
            axis=alt.Axis(title=title, orient="top", labelAngle=0, ticks=False, domain=False),
        ),
        y=alt.Y("field:N", axis=_field_axis(grid=False)),
        tooltip=_tooltip(),
    )
    scale = alt.Scale(domain=[0, 1], scheme="viridis")
    legend = alt.Legend(title="NULL rate, %", orient="bottom", format=".0%")
    layered: alt.LayerChart | alt.FacetChart = alt.layer(
        base.mark_rect(stroke="white", strokeWidth=1).encode(
            color=alt.Color("rate:Q", scale=scale, legend=legend)
        ),
        base.mark_text(fontSize=12, fontWeight=600).encode(
            text="text:N",
            # dark on the bright end of the scale
            color=alt.condition(
                f"datum.rate > {_BRIGHT}", alt.ColorValue(_DARK), alt.ColorValue("white")
            ),
        ),
    )
    return layered.properties(height=_AROUND + _ROW * frame["field"].nunique())


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("field:N"),
        alt.Tooltip("column:N", title="of"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("rate", "low", "high")),
        *(alt.Tooltip(f"{name}:Q", format=",") for name in ("nulls", "n", "unreadable")),
    ]


def labels_chart(gaps: Mapping[str, LabelGap]) -> alt.LayerChart | alt.FacetChart:
    """NULL rates of both labels, with 95% intervals, a row a field, the widest gap first."""
    order = sorted(gaps, key=lambda field: (-abs(gaps[field].difference or 0.0), field))
    rows = [
        {"label": _LABELS[side.label or 0], **_cell(_LABELS[side.label or 0], side, "any")}
        for gap in gaps.values()
        for side in (gap.zero, gap.one)
    ]
    domain = list(_LABELS.values())
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            "field:N",
            sort=order,
            axis=_field_axis(grid=True),
        ),
        yOffset=alt.YOffset("label:N", sort=domain),
        color=alt.Color(
            "label:N",
            title=None,
            scale=alt.Scale(domain=domain, range=_COLOURS),
            legend=alt.Legend(orient="top"),
        ),
        tooltip=_tooltip(),
    )
    axis = alt.X(
        "rate:Q",
        title="NULL rate of source images",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%"),
    )
    shapes = alt.Shape("label:N", title=None, scale=alt.Scale(domain=domain, range=_SHAPES))
    layered: alt.LayerChart | alt.FacetChart = alt.layer(
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=axis, shape=shapes),
    )
    return layered.properties(height=_AROUND + _ROW * len(gaps))
