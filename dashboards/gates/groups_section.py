"""Section: the views by label, level, city and what else challenges are grouped by."""

from collections.abc import Callable, Mapping, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from analytics.gates.block_sums import Field, Measure
from analytics.gates.mean_gates import GateGroup
from analytics.gates.view_means import ViewMeans
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.linked_choice import linked_choice
from dashboards.parts.table import draw_table
from data.text import printable

FIELDS: Mapping[str, Field] = {
    "label": "label",
    "level": "level",
    "city": "city",
    "daytime": "daytime",
    "environment": "environment",
    "weather": "weather",
    "image-size": "image size",
}
"""Fields by their name in a link."""

_NUMBERS: Mapping[str, tuple[str, Callable[[ViewMeans], float | None]]] = {
    "all": ("all answers", lambda view: view.mean),
    "right": ("right answers", lambda view: view.right),
    "wrong": ("wrong answers", lambda view: view.wrong),
    "difference": ("right minus wrong", lambda view: view.difference),
}
_MOST_ROWS, _ROW, _AROUND = 30, 24, 175
_NO_VALUE = "no value"
_ENDS = ("difference", "low", "high")


def choose_field() -> Field:
    """What to group by."""
    return FIELDS[linked_choice("Group by", FIELDS, "by")]


def draw_groups(
    groups: Sequence[GateGroup], measure: Measure, names: Sequence[str], field: Field
) -> None:
    """Draw a heatmap of the groups' views, and the table.

    Args:
        groups: in the order of their rows.
        measure: what is averaged.
        names: of the views, in their order.
        field: what groups are of.
    """
    words = {key: word for key, (word, _) in _NUMBERS.items()}
    number = linked_choice("Mean over", words, "answers")
    if not groups:
        return
    word, value = _NUMBERS[number]
    draw_chart(
        _heatmap(groups[:_MOST_ROWS], value, names, f"{measure}, {word}", number == "difference"),
        f"Mean {measure} of each view by {field}.",
    )
    hidden = len(groups) - _MOST_ROWS
    if hidden > 0:
        st.caption(f"The {_MOST_ROWS} largest are drawn; the table has {hidden} more.")
    mean = st.column_config.NumberColumn(format="%+.3f" if number == "difference" else "%.3f")
    draw_table(
        pd.DataFrame([_row(group, value, names, field) for group in groups]),
        "gates_by_group.csv",
        dict.fromkeys(names, mean),
    )


def group_name(value: str | None) -> str:
    """A value as text for a reader."""
    return _NO_VALUE if value is None else printable(value, 40)


def _row(
    group: GateGroup,
    value: Callable[[ViewMeans], float | None],
    names: Sequence[str],
    field: Field,
) -> dict[str, object]:
    return {
        field.capitalize(): group_name(group.value),
        "n": group.challenges,
        "Right": group.right,
        "Wrong": group.wrong,
        "Images, right": group.right_images,
        "Images, wrong": group.wrong_images,
        **{name: value(view) for name, view in zip(names, group.views, strict=True)},
    }


def _heatmap(
    groups: Sequence[GateGroup],
    value: Callable[[ViewMeans], float | None],
    names: Sequence[str],
    title: str,
    is_signed: bool,
) -> alt.Chart:
    labels = [f"{group_name(group.value)[:18]} · n {group.challenges:,}" for group in groups]
    rows = []
    for label, group in zip(labels, groups, strict=True):
        for name, view in zip(names, group.views, strict=True):
            low, high = view.interval or (None, None)
            rows.append(
                {"group": label, "view": name, "value": value(view)}
                | {"right": view.right, "wrong": view.wrong, "difference": view.difference}
                | {"low": low, "high": high, "n": group.challenges}
            )
    frame = pd.DataFrame(rows)
    scale = alt.Scale(scheme="viridis", zero=False)
    if is_signed:
        largest = float(frame["value"].abs().max()) or 1.0
        scale = alt.Scale(domain=[-largest, largest], scheme="purpleorange", reverse=True)
    form = "+.3f" if is_signed else ".3f"
    chart: alt.Chart = (
        alt.Chart(frame, height=_AROUND + _ROW * len(groups))
        .mark_rect()
        .encode(
            x=alt.X(
                "view:N",
                sort=list(names),
                axis=alt.Axis(title=None, labelAngle=-90, ticks=False, domain=False),
            ),
            y=alt.Y(
                "group:N",
                sort=labels,
                axis=alt.Axis(
                    title=None,
                    ticks=False,
                    domain=False,
                    labelLimit=150,
                    labelOverlap=False,
                    labelFlush=False,
                ),
            ),
            color=alt.Color(
                "value:Q",
                scale=scale,
                legend=alt.Legend(title=title, orient="bottom", format=form, tickCount=4),
            ),
            tooltip=[
                alt.Tooltip("group:N"),
                alt.Tooltip("view:N"),
                *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("right", "wrong")),
                *(alt.Tooltip(f"{name}:Q", format="+.3f") for name in _ENDS),
                alt.Tooltip("n:Q", format=","),
            ],
        )
    )
    return chart
