"""Section: a uid's score, reward, MCC and silence over time, with changes of its hotkey."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from analytics.standings.history import HistoryPoint
from dashboards.miners.choice import shown_hotkey
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.table import draw_table
from data.text import printable

# Okabe and Ito's palette
_OWN, _MEDIAN, _CHANGE = "#0072B2", "#D55E00", "#CC79A7"
_HEIGHT = 250
_LEAST_RANGE = 0.1

_PANELS = {
    "ema": "EMA, the validator's score (dashed: median)",
    "mean_reward": "Mean reward of the last 100 answers",
    "mcc": "Validator's MCC over the last 100",
    "silence": "Silent share of the last 100 answers",
}


def draw_history(points: Sequence[HistoryPoint]) -> None:
    """Draw the four series of one life, and the table behind them.

    Args:
        points: of one uid in one life, in order.
    """
    if not points:
        st.info("This validator's log asked the uid nothing.")
        return
    frame = _frame(points)
    changes = frame[frame["spell"] != frame["spell"].shift()].iloc[1:]
    if len(changes):
        times = "once" if len(changes) == 1 else f"{len(changes):,} times"
        st.caption(f"The uid's hotkey changed {times}: dotted lines.")
    columns = [*st.columns(2), *st.columns(2)]
    for place, (name, title) in zip(columns, _PANELS.items(), strict=True):
        if frame[name].isna().all():
            place.caption(f"{title}: the log holds none.")
            continue
        draw_chart(_chart(frame, changes, name, title), f"{title} over time.", place=place)
    with st.expander(f"Table of {len(frame):,} points out of {points[0].asked:,} answers"):
        shown = frame.drop(columns=["spell", "at"])
        draw_table(shown, "history.csv", {}, all_rows=False)


def _frame(points: Sequence[HistoryPoint]) -> pd.DataFrame:
    timed = all(point.time is not None for point in points)
    return pd.DataFrame(
        {
            "at": point.time if timed else point.answer_number,
            "time": point.time,
            "answer": point.answer_number,
            "hotkey": shown_hotkey(point.hotkey),
            "whole hotkey": printable(point.hotkey, 80),
            "ema": point.ema,
            "median_ema": point.median_ema,
            "rank": point.rank,
            "mean_reward": point.mean_reward,
            "mcc": point.mcc,
            "silence": point.silence,
            "challenge": point.challenge_id,
            "spell": point.spell,
        }
        for point in points
    )


def _chart(
    frame: pd.DataFrame, changes: pd.DataFrame, name: str, title: str
) -> "alt.LayerChart | alt.FacetChart":
    timed = frame["time"].notna().all()
    across = alt.X(
        "at:T" if timed else "at:Q",
        title="time (UTC)" if timed else "answer of the uid, in order",
        # times without a zone are drawn as they are, whatever the browser's zone is
        scale=alt.Scale() if timed else alt.Scale(nice=False),
    )
    base = alt.Chart(frame.drop(columns="challenge")).encode(
        across, tooltip=_tooltip(name, timed=bool(timed))
    )
    highest = max(_LEAST_RANGE, float(frame[name].max()))
    up = alt.Y(
        f"{name}:Q",
        title=None,
        axis=alt.Axis(format=".0%" if name == "silence" else "~g", tickCount=5),
        scale=alt.Scale(domainMin=0, domainMax=highest if name == "silence" else 1),
    )
    layers = [base.mark_line(color=_OWN).encode(up, detail="spell:N")]
    if len(frame) < 3:  # noqa: PLR2004
        layers.append(base.mark_point(color=_OWN, filled=True).encode(up))
    if name == "ema":
        median = base.mark_line(color=_MEDIAN, strokeDash=[5, 3], strokeWidth=1.5)
        layers.append(median.encode(alt.Y("median_ema:Q", title=None)))
    if len(changes):
        rules = alt.Chart(changes.drop(columns="challenge")).mark_rule(
            color=_CHANGE, strokeDash=[2, 2], strokeWidth=2
        )
        layers.append(rules.encode(across, tooltip=_tooltip(name, timed=bool(timed))))
    layered: alt.LayerChart | alt.FacetChart = alt.layer(*layers).properties(
        height=_HEIGHT, title=alt.Title(title, anchor="start", fontSize=13)
    )
    return layered


def _tooltip(name: str, *, timed: bool) -> list[alt.Tooltip]:
    when = alt.Tooltip("time:T", title="time", format="%Y-%m-%d %H:%M")
    shown = [alt.Tooltip(f"{name}:Q", format=".3f"), alt.Tooltip("answer:Q")]
    hotkey = alt.Tooltip("whole hotkey:N", title="hotkey")
    return [*([when] if timed else []), *shown, alt.Tooltip("rank:Q", title="EMA rank"), hotkey]
