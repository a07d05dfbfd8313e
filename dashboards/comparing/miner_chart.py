"""The chart of miners beside a candidate: both MCCs, and their difference with its interval."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from data.text import printable
from replay.comparing.results import MinerComparison

# Okabe and Ito's palette; the shapes tell the two apart without it.
_CANDIDATE, _MINER, _LINE = "#0072B2", "#D55E00", "#8a8a8a"
_ROW_HEIGHT = 24
_HOTKEY_LENGTH = 6


def comparison_charts(
    miners: Sequence[MinerComparison], first: int = 1
) -> list[alt.LayerChart | alt.FacetChart]:
    """Both MCCs, and their difference: a row a miner, ranked in the order given from `first` on."""
    frame = pd.DataFrame([_row(rank, miner) for rank, miner in enumerate(miners, first)])
    charts = (
        _scores(frame).properties(title="MCC on shared challenges"),
        _differences(frame).properties(title="Candidate minus miner, with 95% interval"),
    )
    height = _ROW_HEIGHT * len(miners)
    return [
        chart.properties(height=height).configure_title(anchor="start", fontSize=14)
        for chart in charts
    ]


def _row(rank: int, miner: MinerComparison) -> dict[str, object]:
    left_out = sum(miner.left_out.values())
    difference = miner.differences["mcc"]
    low, high = difference.interval or (None, None)
    return {
        # the rank keeps equal names apart
        "name": f"{rank}. uid {miner.uid} · {printable(miner.hotkey, _HOTKEY_LENGTH)}",
        "rank": rank,
        "miner": miner.score.mcc,
        "candidate": miner.candidate.mcc,
        "difference": difference.value,
        "low": low,
        "high": high,
        "used": miner.score.n,
        "left_out": left_out,
    }


def _tooltip() -> list[alt.Tooltip]:
    numbers = ("miner", "candidate", "difference", "low", "high")
    return [
        alt.Tooltip("name:N", title="miner"),
        *(alt.Tooltip(f"{name}:Q", format="+.2f") for name in numbers),
        alt.Tooltip("used:Q", title="n used"),
        alt.Tooltip("left_out:Q", title="n left out"),
    ]


def _rows() -> alt.Y:
    axis = alt.Axis(
        labelLimit=150,
        labelOverlap=False,
        title=None,
        ticks=False,
        grid=True,
        domain=False,
        labelFlush=False,
    )
    return alt.Y("name:N", sort=alt.SortField("rank"), axis=axis)


def _scores(frame: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(frame).encode(y=_rows(), tooltip=_tooltip())
    axis = alt.X("miner:Q", title="MCC (1 = all right, 0 = guessing)", scale=alt.Scale(nice=True))
    line = base.mark_rule(color=_LINE).encode(x=axis, x2="candidate:Q")
    dots = (
        base.transform_fold(["miner", "candidate"], as_=["who", "mcc"])
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x=alt.X("mcc:Q"), color=_by_answerer(alt.Color), shape=_by_answerer(alt.Shape))
    )
    return alt.layer(_zero(), line, dots)


def _by_answerer(channel: type[alt.Color] | type[alt.Shape]) -> alt.Color | alt.Shape:
    values = [_MINER, _CANDIDATE] if channel is alt.Color else ["circle", "diamond"]
    return channel(
        "who:N",
        title=None,
        scale=alt.Scale(domain=["miner", "candidate"], range=values),
        legend=alt.Legend(orient="bottom", symbolSize=110),
    )


def _differences(frame: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(frame).encode(y=_rows(), tooltip=_tooltip())
    axis = alt.X("difference:Q", title="Left of 0: the miner is better · right: the candidate")
    interval = base.mark_rule(color=_CANDIDATE, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1, color=_CANDIDATE, shape="diamond")
    return alt.layer(_zero(), interval.transform_filter("isValid(datum.low)"), dots.encode(x=axis))


def _zero() -> alt.Chart:
    rule: alt.Chart = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(
        strokeDash=[4, 3], color=_LINE
    )
    return rule.encode(x="zero:Q")
