"""What the decision rests on: each drift beside chance and what is tolerated."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboards.parts.drawn_chart import draw_chart
from data.text import printable
from model.retraining.decide import JudgedDrift, judged_drifts
from model.retraining.decision_now import DecisionNow

# Okabe and Ito's palette
_SIZE, _REASON, _LINE = "#0072B2", "#D55E00", "#8a8a8a"
_ROW_HEIGHT, _FRAME_HEIGHT = 24, 90


def draw_drifts(decided: DecisionNow) -> None:
    """Draw the drifts, and the table behind them."""
    st.subheader("What has drifted since the champion was made")
    drifts = judged_drifts(decided.evidence)
    if not drifts:
        st.info(
            "Nothing to compare: challenges with a time are needed before and after the champion "
            "was made. Only the logs that W&B itself keeps have times."
        )
        return
    frame = pd.DataFrame([_row(one) for one in drifts])
    draw_chart(_chart(frame), "Each drift beside what chance would give.")
    shown = frame.drop(columns=["kind"])
    number = st.column_config.NumberColumn(format="%.3f")
    numbers = ("Drift", "By chance", "Beyond chance", "Tolerated", "p, all together")
    st.dataframe(
        shown,
        hide_index=True,
        column_config=dict.fromkeys(numbers, number),
    )
    st.download_button(
        "Drifts as CSV", shown.to_csv(index=False), "drifts.csv", "text/csv", key="drifts_csv"
    )


def _row(one: JudgedDrift) -> dict[str, object]:
    return {
        "What": printable(one.name, 60),
        "Drift": one.drift.size,
        "By chance": one.drift.chance,
        "Beyond chance": one.drift.beyond_chance,
        "Tolerated": one.tolerated,
        "p, all together": one.p_value,
        "n before": one.drift.before,
        "n after": one.drift.after,
        "A reason": one.is_reason,
        "kind": "a reason to retrain" if one.is_reason else "tolerated",
    }


def _chart(frame: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(frame).encode(
        y=alt.Y("What:N", sort=None, title=None, axis=alt.Axis(labelLimit=150))
    )
    kinds = alt.Scale(domain=["tolerated", "a reason to retrain"], range=[_SIZE, _REASON])
    tooltip = [
        alt.Tooltip("What:N"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("Drift", "By chance", "Tolerated")),
        alt.Tooltip("n before:Q"),
        alt.Tooltip("n after:Q"),
    ]
    bars = base.mark_bar(height=10).encode(
        x=alt.X("Beyond chance:Q", title="drift beyond chance (share that moved)"),
        color=alt.Color("kind:N", scale=kinds, legend=alt.Legend(title=None, orient="top")),
        tooltip=tooltip,
    )
    bounds = base.mark_tick(thickness=2, size=18, color=_LINE).encode(
        x=alt.X("Tolerated:Q"), tooltip=tooltip
    )
    return alt.layer(bars, bounds, height=_FRAME_HEIGHT + _ROW_HEIGHT * len(frame))
