"""Section: how spread the views' shares are over the log, of one replay or of two."""

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from analytics.gates.gate_entropy import MOST_BINS, EntropyBin
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.table import draw_table

# Okabe and Ito's palette; the shapes tell the two apart without it.
_COLOURS, _SHAPES = ["#0072B2", "#D55E00"], ["circle", "diamond"]
_HEIGHT = 260


def draw_entropy(runs: Mapping[str, Sequence[EntropyBin]], views: int) -> None:
    """Draw the entropy over the log.

    Args:
        runs: one or two replays' parts of the log, by their names.
        views: how many there are.
    """
    st.subheader("How many views it looks at, over the log")
    if not any(runs.values()):
        return
    st.markdown(_answer(runs, views))
    timed = all(one.first_time is not None for bins in runs.values() for one in bins)
    frame = pd.DataFrame(
        [_row(name, one, timed=timed) for name, bins in runs.items() for one in bins]
    )
    draw_chart(_chart(frame, list(runs), views, timed=timed), "Entropy of the shares over the log.")
    number = st.column_config.NumberColumn(format="%.3f")
    draw_table(
        frame.drop(columns=["place"] if timed else ["place", "From", "To"]),
        "gate_entropy.csv",
        dict.fromkeys(("Entropy, bits", "95% from", "95% to"), number),
        all_rows=False,
    )


def _answer(runs: Mapping[str, Sequence[EntropyBin]], views: int) -> str:
    sentences = []
    for name, bins in runs.items():
        if not bins:
            continue
        least, most = (pick(bins, key=lambda one: one.entropy) for pick in (min, max))
        n = sum(one.challenges for one in bins)
        who = f"{name}: from" if len(runs) > 1 else "From"
        sentences.append(
            f"{who} **{least.entropy:.2f}** bits (n = {least.challenges:,}) to "
            f"**{most.entropy:.2f}** (n = {most.challenges:,}) in {len(bins)} parts of the log, "
            f"{n:,} challenges in all."
        )
    return (
        f"Entropy of the shares: 0 bits is one view alone, {math.log2(max(views, 1)):.2f} all "
        f"{views} alike. {' '.join(sentences)}"
    )


def _row(run: str, one: EntropyBin, *, timed: bool) -> dict[str, object]:
    low, high = one.interval or (None, None)
    return {
        "Run": run,
        "place": one.first_time if timed else one.number / MOST_BINS,
        "Part": one.number + 1,
        "From": one.first_time,
        "To": one.last_time,
        "n": one.challenges,
        "Images": one.images,
        "Entropy, bits": one.entropy,
        "95% from": low,
        "95% to": high,
    }


def _chart(
    frame: pd.DataFrame, runs: list[str], views: int, *, timed: bool
) -> alt.LayerChart | alt.FacetChart:
    drawn = frame.rename(
        columns={"Entropy, bits": "entropy", "95% from": "low", "95% to": "high", "Run": "run"}
    )
    x = alt.X("place:T", title="logged, UTC")
    if not timed:
        x = alt.X("place:Q", title="place in the log", axis=alt.Axis(format=".0%"))
    colour = alt.Color(
        "run:N",
        scale=alt.Scale(domain=runs, range=_COLOURS[: len(runs)]),
        legend=alt.Legend(title=None, orient="top", labelLimit=300) if len(runs) > 1 else None,
    )
    base = alt.Chart(drawn).encode(x=x, color=colour)
    # as near as the data are: all the way to 0 most logs would be a flat line
    y = alt.Y("entropy:Q", title="entropy, bits", scale=alt.Scale(zero=False))
    layered: alt.LayerChart | alt.FacetChart = alt.layer(
        base.mark_rule(strokeWidth=1.5, opacity=0.6)
        .encode(y=alt.Y("low:Q"), y2="high:Q")
        .transform_filter("isValid(datum.low)"),
        base.mark_point(filled=True, size=45, opacity=1).encode(
            y=y,
            shape=alt.Shape(
                "run:N", scale=alt.Scale(domain=runs, range=_SHAPES[: len(runs)]), legend=None
            ),
            tooltip=[
                alt.Tooltip("From:T", format="%Y-%m-%d %H:%M"),
                alt.Tooltip("To:T", format="%Y-%m-%d %H:%M"),
                *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("entropy", "low", "high")),
                alt.Tooltip("n:Q", format=","),
            ],
        ),
    )
    return layered.properties(height=_HEIGHT)
