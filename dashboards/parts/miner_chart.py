"""The chart of miners beside a candidate: both MCCs, and their difference with its interval."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from data.text import printable
from replay.comparing.results import MinerComparison

# Okabe and Ito's palette; the shapes tell the two apart without it.
_CANDIDATE, _MINER, _LINE = "#0072B2", "#D55E00", "#8a8a8a"
_ROW_HEIGHT, _LEFT_WIDTH, _RIGHT_WIDTH = 24, 370, 310
_HOTKEY_LENGTH = 6


def comparison_chart(miners: Sequence[MinerComparison], first: int = 1) -> alt.HConcatChart:
    """A row a miner, in the order given and ranked from `first` on, with n used and left out."""
    frame = pd.DataFrame([_row(rank, miner) for rank, miner in enumerate(miners, first)])
    height = _ROW_HEIGHT * len(miners)
    left = _scores(frame).properties(
        width=_LEFT_WIDTH, height=height, title="MCC on shared challenges"
    )
    right = _differences(frame).properties(
        width=_RIGHT_WIDTH, height=height, title="Candidate minus miner, with 95% interval"
    )
    # flush: the plots stand level, though only one has a legend above it
    chart: alt.HConcatChart = alt.hconcat(left, right, spacing=24, bounds="flush")
    return chart.configure_title(anchor="start", fontSize=14)  # type: ignore[no-any-return]


def _row(rank: int, miner: MinerComparison) -> dict[str, object]:
    left_out = sum(miner.left_out.values())
    difference = miner.differences["mcc"]
    low, high = difference.interval or (None, None)
    return {
        # the rank keeps equal names apart
        "name": f"{rank}. uid {miner.uid} · {printable(miner.hotkey, _HOTKEY_LENGTH)} "
        f"({miner.score.n} used, {left_out} out)",
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
        *(alt.Tooltip(f"{name}:Q", format="+.3f") for name in numbers),
        alt.Tooltip("used:Q", title="n used"),
        alt.Tooltip("left_out:Q", title="n left out"),
    ]


def _rows(*, labels: bool) -> alt.Y:
    axis = alt.Axis(
        labelLimit=320,
        title=None,
        ticks=False,
        grid=True,
        labels=labels,
        domain=False,
        labelFlush=False,
    )
    return alt.Y("name:N", sort=alt.SortField("rank"), axis=axis)


def _scores(frame: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(frame).encode(y=_rows(labels=True), tooltip=_tooltip())
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
        legend=alt.Legend(orient="top", symbolSize=110),
    )


def _differences(frame: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(frame).encode(y=_rows(labels=False), tooltip=_tooltip())
    axis = alt.X("difference:Q", title="Left of 0: the miner is better · right: the candidate")
    interval = base.mark_rule(color=_CANDIDATE, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1, color=_CANDIDATE, shape="diamond")
    return alt.layer(_zero(), interval.transform_filter("isValid(datum.low)"), dots.encode(x=axis))


def _zero() -> alt.Chart:
    rule: alt.Chart = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(
        strokeDash=[4, 3], color=_LINE
    )
    return rule.encode(x="zero:Q")
