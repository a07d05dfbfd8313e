"""The chart of miners: how able each is, and how much of what it was asked it answers."""

import altair as alt
import pandas as pd

_ALONE, _GROUPED, _GONE = "#0072B2", "#D55E00", "#7a7a7a"
_KINDS = ("on its own", "clone", "replaced")
_HEIGHT = 360
_ERRORS = 1.96


def ability_chart(frame: pd.DataFrame, measure: str) -> "alt.LayerChart | alt.FacetChart":
    """Every miner of a leaderboard as a point, with its 95% interval.

    Args:
        frame: rows of `leaderboard_frame`.
        measure: `Ability` or `MCC`, across.
    """
    base = alt.Chart(_points(frame, measure)).encode(
        alt.Y(
            "answer_rate:Q",
            title="share answered",
            axis=alt.Axis(format=".0%"),
            scale=alt.Scale(domain=_rates(frame), nice=False, padding=12),
        ),
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=_KINDS, range=[_ALONE, _GROUPED, _GONE]),
            legend=alt.Legend(orient="bottom", symbolOpacity=1, symbolSize=90),
        ),
        tooltip=[
            alt.Tooltip("hotkey:N"),
            alt.Tooltip("uid:Q"),
            alt.Tooltip("rank:Q"),
            alt.Tooltip("value:Q", title=measure, format=".3f"),
            alt.Tooltip("low:Q", title="95% from", format=".3f"),
            alt.Tooltip("high:Q", title="95% to", format=".3f"),
            alt.Tooltip("answer_rate:Q", title="answer rate", format=".1%"),
            alt.Tooltip("n:Q"),
            alt.Tooltip("clones:N"),
        ],
    )
    title = "ability (logits above the mean miner)" if measure == "Ability" else "MCC"
    across = alt.X("value:Q", title=title, scale=alt.Scale(zero=False))
    ends = alt.X("low:Q", title=title), alt.X2("high:Q")
    intervals = base.mark_rule(opacity=0.45, strokeWidth=2).encode(*ends)
    points = base.mark_point(filled=True, opacity=1, size=70).encode(
        across,
        shape=alt.Shape(
            "kind:N",
            scale=alt.Scale(domain=_KINDS, range=["circle", "diamond", "cross"]),
            legend=None,
        ),
    )
    layered: alt.LayerChart | alt.FacetChart = alt.layer(intervals, points)
    return layered.properties(height=_HEIGHT)


def _rates(frame: pd.DataFrame) -> tuple[float, float]:
    """The ends of the axis of answer rates: from a little below the lowest to all."""
    lowest = float(frame["Answer rate"].min())
    return max(0.0, lowest - 0.05 * max(0.1, 1 - lowest)), 1.0


def _points(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    known = frame[frame[measure].notna()]
    value = known[measure].astype(float)
    if measure == "Ability":
        half = _ERRORS * known["Error"].astype(float)
        low, high = value - half, value + half
    else:
        low, high = known["95% from"].astype(float), known["95% to"].astype(float)
    kinds = [
        _KINDS[1] if clones else _KINDS[0] if holds else _KINDS[2]
        for clones, holds in zip(known["Clones"], known["Holds its uid"], strict=True)
    ]
    return pd.DataFrame(
        {
            "hotkey": known["Whole hotkey"],
            "uid": known["Uid"],
            "rank": known["Rank"].astype("float"),
            "value": value,
            "low": low,
            "high": high,
            "answer_rate": known["Answer rate"],
            "n": known["n"],
            "clones": known["Clones"].replace("", "none"),
            "kind": kinds,
        }
    )
