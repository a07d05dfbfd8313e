"""Section: the candidate beside all miners together, by slice: where it wins and where it loses."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

from analytics.comparison.intervals import Interval
from analytics.slices.scores import Slice
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.table import draw_table
from data.text import printable
from replay.comparing.results import Comparison

_CANDIDATE, _MINERS, _LINE = "#0072B2", "#D55E00", "#8a8a8a"
_ROW, _AROUND, _IN_CHART = 26, 110, 30
_MOST_COST = "what costs most"
_NAME = 60


@dataclass(frozen=True)
class _Statistic:
    """A statistic of slices: its name, its axis, and whether a positive value is a gain."""

    name: str
    title: str
    gain: bool

    def of(self, part: Slice) -> tuple[float | None, Interval | None]:
        """The value and its interval."""
        if self.name == "accuracy":
            return part.accuracy - part.miners_accuracy, part.accuracy_interval
        if self.name == "MCC":
            if part.mcc is None or part.miners_mcc is None:
                return None, None
            return part.mcc - part.miners_mcc, part.mcc_interval
        return part.cost, part.cost_interval


_STATISTICS = {
    statistic.name: statistic
    for statistic in (
        _Statistic("accuracy", "Accuracy: candidate minus miners", gain=True),
        _Statistic("MCC", "MCC: candidate minus miners", gain=True),
        _Statistic("reward cost", "Mean reward that the slice costs", gain=False),
    )
}

_READING = """\
- A **slice** is a set of challenges, such as those at dusk. All miners' answers to them are pooled,
  and each is paired with the candidate's answer to the same challenge.
- **Reward cost** is how much more mean reward, over the whole log, the candidate would earn had it
  answered the slice as the miners did: above 0 where it loses.
- Intervals resample source images, each slice by itself: of many slices some are off by chance.
  Slices of fewer than 30 answers or 10 source images get none and are left out of the chart; the
  table has them.
- **n** counts answers of miners; a challenge counts as often as it was answered."""


def draw_slices(compared: Comparison) -> None:
    """Draw the answer, the forest plot, and the table."""
    if not compared.slices:
        st.caption("Slices are there once the comparison with them is computed.")
        return
    st.text(_sentence(compared.slices))
    fields = list(dict.fromkeys(part.field for part in compared.slices))
    left, right = st.columns(2)
    with left:
        field = st.selectbox(
            "Slices by", [_MOST_COST, *fields], key="slices_by", bind="query-params"
        )
    with right:
        name = st.selectbox("Statistic", list(_STATISTICS), key="statistic", bind="query-params")
    chosen = [part for part in compared.slices if field in (_MOST_COST, part.field)]
    _draw_forest(chosen, _STATISTICS[name])
    draw_table(
        pd.DataFrame([_row(part) for part in chosen]),
        "slices.csv",
        _columns(),
        all_rows=len(chosen) <= _IN_CHART,
    )
    for left_out_field, count in compared.slices_left_out.items():
        st.caption(
            f"{count:,} other values of {left_out_field} are no slices: too many for so few "
            "challenges each."
        )
    with st.expander("How to read slices"):
        st.markdown(_READING)


def _sentence(slices: Sequence[Slice]) -> str:
    """The slice that costs most by more than chance, else that there is none."""
    large = [part for part in slices if not part.small]
    behind = [part for part in large if (part.cost_interval or (0.0, 0.0))[0] > 0]
    small = f"; {len(slices) - len(large)} are too small" if len(large) < len(slices) else ""
    if not behind:
        return f"None of {len(large)} slices costs the candidate reward by more than chance{small}."
    worst = behind[0]
    low, high = worst.cost_interval or (0.0, 0.0)
    return (
        f"The candidate loses most where {worst.field} is {printable(worst.value, _NAME)}: it "
        f"costs {worst.cost:.3f} of mean reward (95% {low:.3f} to {high:.3f}, n {worst.n:,}). "
        f"So do {len(behind) - 1} other slices of {len(large)} by more than chance{small}."
    )


def _draw_forest(slices: Sequence[Slice], statistic: _Statistic) -> None:
    large = [part for part in slices if not part.small]
    rows = [row for row in (_forest_row(part, statistic) for part in large) if row is not None]
    if not rows:
        st.info("No slice here is large enough for an interval.")
        return
    shown = rows[:_IN_CHART]
    if len(rows) > len(shown):
        st.caption(f"The first {len(shown)} of {len(rows)} slices, those that cost most.")
    draw_chart(_forest(pd.DataFrame(shown), statistic), f"{statistic.title}, by slice.")


def _forest_row(part: Slice, statistic: _Statistic) -> dict[str, object] | None:
    value, interval = statistic.of(part)
    if value is None or interval is None:
        return None
    ahead = (value > 0) == statistic.gain
    return {
        "slice": f"{part.field}: {printable(part.value, _NAME)}",
        "value": value,
        "low": interval[0],
        "high": interval[1],
        "n": part.n,
        "challenges": part.challenges,
        "images": part.images,
        "ahead": "candidate" if ahead else "miners",
    }


def _forest(frame: pd.DataFrame, statistic: _Statistic) -> alt.LayerChart | alt.FacetChart:
    axis = alt.Axis(title=None, ticks=False, domain=False, grid=True, labelLimit=170)
    base = alt.Chart(frame).encode(
        y=alt.Y("slice:N", sort=None, axis=axis),
        color=alt.Color(
            "ahead:N",
            title="ahead",
            scale=alt.Scale(domain=["candidate", "miners"], range=[_CANDIDATE, _MINERS]),
            legend=alt.Legend(orient="bottom"),
        ),
        tooltip=[
            alt.Tooltip("slice:N"),
            *(alt.Tooltip(f"{name}:Q", format="+.3f") for name in ("value", "low", "high")),
            *(alt.Tooltip(f"{name}:Q", format=",") for name in ("n", "challenges", "images")),
        ],
    )
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3], color=_LINE)
    interval = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    point = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X("value:Q", title=statistic.title),
        shape=alt.Shape(
            "ahead:N",
            title="ahead",
            scale=alt.Scale(domain=["candidate", "miners"], range=["diamond", "circle"]),
        ),
    )
    return alt.layer(zero.encode(x="zero:Q"), interval, point).properties(
        height=_ROW * len(frame) + _AROUND
    )


def _row(part: Slice) -> dict[str, object]:
    difference = part.accuracy - part.miners_accuracy
    accuracy, cost = part.accuracy_interval or (None, None), part.cost_interval or (None, None)
    return {
        "Field": part.field,
        "Value": printable(part.value, _NAME),
        "n": part.n,
        "Challenges": part.challenges,
        "Images": part.images,
        "Accuracy": part.accuracy,
        "Miners' accuracy": part.miners_accuracy,
        "Difference": difference,
        "95% from": accuracy[0],
        "95% to": accuracy[1],
        "MCC": part.mcc,
        "Miners' MCC": part.miners_mcc,
        "Reward cost": part.cost,
        "Cost from": cost[0],
        "Cost to": cost[1],
    }


def _columns() -> dict[str, object]:
    number = st.column_config.NumberColumn
    plain = ("Accuracy", "Miners' accuracy", "MCC", "Miners' MCC")
    signed = ("Difference", "95% from", "95% to", "Reward cost", "Cost from", "Cost to")
    return {
        **dict.fromkeys(plain, number(format="%.2f")),
        **dict.fromkeys(signed, number(format="%+.3f")),
    }
