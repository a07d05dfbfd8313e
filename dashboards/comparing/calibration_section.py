"""Section: a candidate's calibration, and the threshold that would earn it more."""

import altair as alt
import pandas as pd
import streamlit as st

from analytics.comparison.best_logit_shift import LogitShift
from analytics.comparison.calibration import Calibration
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.table import draw_table

_CANDIDATE, _LINE = "#0072B2", "#8a8a8a"
_HEIGHT = 420

_READING = """\
- Each point is a tenth of the scale: the mean answer there, and what part of those challenges was
  roadwork. On the dashed line answers are probabilities. Intervals resample source images; bins of
  fewer than 10 get none.
- The **expected calibration error** is the mean distance from that line, by answers. Miners earn
  by classes, rounded at 0.5, so only where answers cross 0.5 does calibration change the reward.
- The **threshold** is the one of those tried that earned most on the earlier part of the log; what
  it changes is measured on the later part, which had no say in the choice."""


def draw_calibration(calibration: Calibration, shift: LogitShift | None) -> None:
    """Draw the answer, the reliability diagram with its table, and the threshold."""
    st.markdown(_calibration_sentence(calibration))
    frame = pd.DataFrame(
        {
            "Answers from": one.low,
            "to": one.high,
            "n": one.n,
            "Mean answer": one.probability,
            "Roadwork": one.roadwork,
            "95% from": one.roadwork_interval and one.roadwork_interval[0],
            "95% to": one.roadwork_interval and one.roadwork_interval[1],
        }
        for one in calibration.bins
    )
    # beside each other: a diagram as wide as the page has no diagonal to speak of
    left, right = st.columns([4, 5])
    draw_chart(
        _diagram(frame), "Share of roadwork by the candidate's answer, in ten bins.", place=left
    )
    number = st.column_config.NumberColumn
    shares = ("Mean answer", "Roadwork", "95% from", "95% to")
    with right:
        draw_table(
            frame,
            "calibration.csv",
            {"n": number(format="%.1f"), **dict.fromkeys(shares, number(format="%.2f"))},
        )
    st.markdown(_threshold_sentence(shift))
    with st.expander("How to read calibration and threshold"):
        st.markdown(_READING)


def _calibration_sentence(calibration: Calibration) -> str:
    if not calibration.n:
        return "There is no answer to calibrate."
    ends = "too few source images for an interval"
    if calibration.error_interval is not None:
        low, high = calibration.error_interval
        ends = f"95% {low:.2f} to {high:.2f}"
    return (
        f"The expected calibration error is **{calibration.error:.2f}** ({ends}; n "
        f"{calibration.n:,}, {len(calibration.bins)} bins)."
    )


def _threshold_sentence(shift: LogitShift | None) -> str:
    if shift is None:
        return "No threshold can be chosen: a part of the log in time is empty."
    ends = "too few source images for an interval"
    if shift.interval is not None:
        ends = f"95% {shift.interval[0]:+.3f} to {shift.interval[1]:+.3f}"
    return (
        f"Answering roadwork above **{shift.threshold:.2f}** instead of 0.5 (a shift of the logit "
        f"by {shift.shift:+.2f}; best of {shift.tried} on the first {shift.earlier_n:,} challenges)"
        f" changes the mean reward on the last {shift.later_n:,} from {shift.unshifted:.3f} to "
        f"{shift.reward:.3f}: **{shift.difference:+.3f}** ({ends})."
    )


def _diagram(frame: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    scale = alt.Scale(domain=[0, 1], nice=False)
    answered = frame.dropna(subset=["Mean answer"]).rename(
        columns={"95% from": "low", "95% to": "high"}
    )
    base = alt.Chart(answered).encode(
        x=alt.X("Mean answer:Q", title="Mean answer of the bin", scale=scale),
        tooltip=[
            alt.Tooltip(f"{name}:Q", format=".2f")
            for name in ("Mean answer", "Roadwork", "low", "high", "n")
        ],
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"x": [0, 1], "y": [0, 1]}))
        .mark_line(strokeDash=[4, 3], color=_LINE)
        .encode(x="x:Q", y="y:Q")
    )
    interval = (
        base.mark_rule(color=_CANDIDATE, strokeWidth=2)
        .encode(y=alt.Y("low:Q"), y2="high:Q")
        .transform_filter("isValid(datum.low)")
    )
    points = base.mark_point(filled=True, opacity=1, color=_CANDIDATE).encode(
        y=alt.Y("Roadwork:Q", title="Share of roadwork", scale=scale),
        size=alt.Size("n:Q", title="n", legend=alt.Legend(orient="bottom")),
    )
    return alt.layer(diagonal, interval, points).properties(height=_HEIGHT)
