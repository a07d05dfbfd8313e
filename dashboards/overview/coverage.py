"""Section: how many challenges can be rebuilt, and why the others cannot."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.queries.replay_runs import FidelityCount
from dashboards.parts.table import draw_table
from data.text import printable
from replay.rebuilding.fidelity import Fidelity

_MEANINGS = {
    Fidelity.EXACT: "the pixels that miners saw",
    Fidelity.DISTRIBUTION: "one of several possible images (levels 2 and 3)",
    Fidelity.IMPOSSIBLE: "not to be rebuilt",
    Fidelity.UNSEEN: "at another size than miners saw: never part of a score",
}


def draw_coverage(counts: Sequence[FidelityCount]) -> None:
    """Draw the sentence and the table of a replay's challenges by fidelity."""
    total = sum(one.challenges for one in counts)
    by_fidelity = {
        fidelity: sum(one.challenges for one in counts if one.fidelity == fidelity)
        for fidelity in Fidelity
    }
    exact, several = by_fidelity[Fidelity.EXACT], by_fidelity[Fidelity.DISTRIBUTION]
    st.markdown(
        f"Of {total:,} challenges the replay was asked for, **{exact / max(1, total):.0%}** are "
        f"exact, {several / max(1, total):.0%} one of several possible images; "
        f"{total - exact - several:,} have none."
    )
    draw_table(
        pd.DataFrame([_row(one, total) for one in counts]), "coverage.csv", {}, shares=["Share"]
    )


def _row(one: FidelityCount, total: int) -> dict[str, object]:
    return {
        "Fidelity": one.fidelity,
        "Challenges": one.challenges,
        "Share": one.challenges / total,
        "What it is": printable(one.reason or _MEANINGS.get(Fidelity(one.fidelity), ""), 80),
    }
