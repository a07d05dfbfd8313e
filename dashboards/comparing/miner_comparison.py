"""Sections: what a comparison rests on; each miner beside the candidate."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.lives.text import lives_line
from dashboards.comparing.miner_chart import comparison_charts
from dashboards.parts.drawn_chart import draw_chart
from data.text import printable
from replay.comparing.results import Comparison, MinerComparison

_MIN_SHARED = 10
_IN_CHART = 20

_READING = """\
- A **miner** is a pair of uid and hotkey. It is compared with the candidate on exactly the
  challenges that both answered, so every row has its own set, and its own candidate numbers.
- **Class** is by the validator's rounding (half to even, so 0.5 is class 0: no roadwork).
- **MCC** (Matthews correlation) is 1 for all right, 0 for guessing, negative for worse than that;
  it is 0 if all labels or all answers of a set are of one class. It is signed here; a validator
  scores negative ones as 0.
- **Difference** is the candidate's MCC minus the miner's: above 0 the candidate is ahead. The
  **95% interval** resamples source images; fewer than 10 images give none.
- **Left out** are the miner's other answers: those to challenges without an answer of the
  candidate, and the miner's own gaps."""


@st.fragment
def draw_miners(compared: Comparison) -> None:
    """Draw each miner beside the candidate: a sentence, the chart, and the table."""
    miners = _with_enough_shared(compared)
    if not miners:
        st.info("No miner is left: lower the minimum above.")
        return
    _draw_summary(miners)
    _draw_chart(miners)
    _draw_table(miners)
    with st.expander("How to read this"):
        st.markdown(_READING)


def draw_candidate(compared: Comparison) -> None:
    """Draw what the comparison rests on: inputs, images, lives, and what was left out."""
    if compared.uses_metadata:
        st.warning(
            "**With metadata**: this run saw more than a miner does, and whether a description is "
            "present reveals the label. Do not report it as the main result."
        )
    else:
        st.caption("**Image-only**: the candidate saw just the image, as miners do.")
    if compared.distributions:
        st.caption(
            f"{compared.exact:,} challenges are exact. {compared.distributions:,} of levels 2 and "
            "3 are one of several possible images, as the log does not hold their distortions: "
            "there the candidate counts by the share of possible images on either side."
        )
    st.text(printable(f"On {lives_line(compared.lives)}."))
    if len(compared.lives) > 1:
        st.caption(
            "Each validator's log has windows and a moving average of its own; a miner's answers "
            "to several validators count together."
        )
    st.caption(_overlap(compared))
    _left_out(compared)


def _overlap(compared: Comparison) -> str:
    if not compared.overlap_checked:
        return (
            "Not checked whether the candidate was trained on these challenges: its run keeps no "
            "training rows."
        )
    return (
        f"Challenges of the same row, video or place as one of the candidate's own "
        f"{compared.training_rows:,} training rows are left out."
    )


def _left_out(compared: Comparison) -> None:
    if not compared.left_out:
        return
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in compared.left_out.items())
    st.text(f"Left out: {printable(reasons)}")


def _with_enough_shared(compared: Comparison) -> list[MinerComparison]:
    largest = max(miner.score.n for miner in compared.miners)
    # half of the largest, so that a small store does not open on an empty chart
    start = min(_MIN_SHARED, max(1, largest // 2))
    minimum = st.slider("Fewest shared answers of a miner", 1, max(2, largest), start)
    miners = [miner for miner in compared.miners if miner.score.n >= minimum]
    hidden = len(compared.miners) - len(miners)
    st.caption(
        f"{len(miners):,} of {len(compared.miners):,} miners shown; {hidden:,} hidden with fewer "
        f"than {minimum} shared answers. {compared.without_shared:,} more share none."
    )
    return miners


def _draw_summary(miners: Sequence[MinerComparison]) -> None:
    differences = [miner.differences["mcc"] for miner in miners]
    ends = [difference.interval for difference in differences if difference.interval is not None]
    ahead = sum(difference.value > 0 for difference in differences)
    st.markdown(
        f"The candidate is ahead of **{ahead}** of {len(miners)} miners shown; of "
        f"**{sum(low > 0 for low, _ in ends)}** with its whole interval, and behind "
        f"**{sum(high < 0 for _, high in ends)}** with its whole interval."
    )


def _draw_chart(miners: Sequence[MinerComparison]) -> None:
    first = 1
    if len(miners) > _IN_CHART:
        first = st.slider(
            f"First miner in the chart, by rank of MCC ({_IN_CHART} of {len(miners):,} are drawn; "
            "the table below has all)",
            1,
            len(miners) - _IN_CHART + 1,
        )
    shown = miners[first - 1 : first - 1 + _IN_CHART]
    for column, chart in zip(st.columns(2), comparison_charts(shown, first), strict=True):
        draw_chart(chart, "MCC of each miner beside the candidate's.", place=column)


def _draw_table(miners: Sequence[MinerComparison]) -> None:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    score, difference = number(format="%.2f", width=80), number(format="%+.2f", width=80)
    st.dataframe(
        pd.DataFrame([_row(miner) for miner in miners]),
        hide_index=True,
        placeholder="–",
        column_config={
            "Uid": number(width=50),
            "Hotkey": text(width=90),
            "n used": number(width=60),
            "n left out": number(width=75),
            **dict.fromkeys(("Accuracy", "MCC"), score),
            **dict.fromkeys(("Cand. accuracy", "Cand. MCC"), number(format="%.2f", width=105)),
            **dict.fromkeys(("Difference", "95% from", "95% to"), difference),
            "Why left out": text(width=400),
        },
    )


def _row(miner: MinerComparison) -> dict[str, object]:
    difference = miner.differences["mcc"]
    low, high = difference.interval or (None, None)
    return {
        "Uid": miner.uid,
        "Hotkey": printable(miner.hotkey, 64),
        "n used": miner.score.n,
        "n left out": sum(miner.left_out.values()),
        "Accuracy": miner.score.accuracy,
        "Cand. accuracy": miner.candidate.accuracy,
        "MCC": miner.score.mcc,
        "Cand. MCC": miner.candidate.mcc,
        "Difference": difference.value,
        "95% from": low,
        "95% to": high,
        "Why left out": printable(", ".join(f"{n} × {why}" for why, n in miner.left_out.items())),
    }
