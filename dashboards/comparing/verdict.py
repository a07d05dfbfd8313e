"""The verdict on a candidate: its MCC and its rank, beside the best and the median miner."""

import pandas as pd
import streamlit as st

from data.text import printable
from replay.comparing.results import BaselineComparison, Comparison
from replay.comparing.short_hotkey import short_hotkey


def draw_verdict(compared: Comparison) -> None:
    """Draw the sentence that is the answer, and the table of baselines under it."""
    st.markdown(_sentence(compared))
    if compared.baselines:
        st.dataframe(
            pd.DataFrame([_row(baseline) for baseline in compared.baselines]),
            hide_index=True,
            placeholder="–",
            height="content",
            column_config={
                "Evaluated on": st.column_config.NumberColumn(
                    help="Challenges that both answered, in the later part of the log: who the "
                    "best miner is, is chosen on the earlier part."
                ),
                **dict.fromkeys(
                    ("MCC", "Candidate's"), st.column_config.NumberColumn(format="%.2f")
                ),
                **dict.fromkeys(
                    ("Difference", "95% from", "95% to"),
                    st.column_config.NumberColumn(format="%+.2f"),
                ),
            },
        )
    for name, why in compared.without_baseline.items():
        st.text(printable(f"No {name}: {why}"))


def _sentence(compared: Comparison) -> str:
    score, rank = compared.candidate, compared.ranks["mcc"]
    interval = "too few source images for an interval"
    if compared.mcc_interval is not None:
        low, high = compared.mcc_interval
        interval = f"{compared.level:.0%} interval {low:.2f} to {high:.2f}"
    left_out = sum(compared.left_out.values())
    miners = f"; {rank.left_out:,} miners answered too few of them to be ranked"
    clones = ""
    if compared.clones_left_out:
        once = compared.ranks_without_clones["mcc"]
        clones = (
            f" With one miner of each group of clones ({compared.clones_left_out:,} clones left "
            f"out) it is rank {once.rank} of {once.of} (interval {once.best} to {once.worst})."
        )
    return (
        f"The candidate has an **MCC of {score.mcc:.2f}** ({interval}) on {score.n:,} challenges, "
        f"{left_out:,} left out. In every miner's place it is **rank {rank.rank} of {rank.of}** "
        f"(interval {rank.best} to {rank.worst}{miners if rank.left_out else ''}).{clones}"
    )


def _row(baseline: BaselineComparison) -> dict[str, object]:
    difference = baseline.differences["mcc"]
    low, high = difference.interval or (None, None)
    who = (
        ""
        if baseline.hotkey is None
        else f"uid {baseline.uid} {printable(short_hotkey(baseline.hotkey))}"
    )
    return {
        "Beside": baseline.name,
        "Who": who,
        "Evaluated on": baseline.score.n,
        "MCC": baseline.score.mcc,
        "Candidate's": baseline.candidate.mcc,
        "Difference": difference.value,
        "95% from": low,
        "95% to": high,
    }
