"""Section: the candidate in one miner's place, on the same challenges."""

import pandas as pd
import streamlit as st

from dashboards.parts.table import draw_table
from data.text import printable
from replay.comparing.results import Comparison, MinerComparison

_NAMES = {
    "accuracy": "Accuracy",
    "mcc": "MCC",
    "auc": "AUC",
    "reward": "Mean reward",
    "ema": "EMA at the end",
    "mean_ema": "Mean EMA",
}


def draw_in_place(found: MinerComparison | None, compared: Comparison) -> None:
    """Draw the test, the table, and what was left out.

    Args:
        found: the comparison with this miner, if there is one.
        compared: the whole comparison.
    """
    if compared.uses_metadata:
        st.warning("**With metadata**: this candidate saw more than a miner does.")
    if not compared.overlap_checked:
        st.caption("Not checked whether the candidate was trained on these challenges.")
    if found is None:
        return
    if found.mcnemar is not None:
        test = found.mcnemar
        st.markdown(
            f"Only the candidate is right on **{test.candidate_only:,}** challenges, only the "
            f"miner on **{test.miner_only:,}** (McNemar's exact test: p = {test.p:.2g}, "
            f"{test.holm_p:.2g} by Holm over all {len(compared.miners):,} miners)."
        )
    frame = pd.DataFrame([_row(found, name) for name in found.differences])
    score, signed = (st.column_config.NumberColumn(format=form) for form in ("%.3f", "%+.3f"))
    columns = {
        **dict.fromkeys(("This miner", "Candidate"), score),
        **dict.fromkeys(("Difference", "95% from", "95% to"), signed),
    }
    draw_table(frame, "in_its_place.csv", columns)
    reasons = ", ".join(f"{count:,} × {why}" for why, count in found.left_out.items())
    if reasons:
        st.text(printable(f"Left out of MCC: {reasons}"))
    for note in found.notes:
        st.text(printable(f"Note: {note}"))


def _row(found: MinerComparison, name: str) -> dict[str, object]:
    difference = found.differences[name]
    low, high = difference.interval or (None, None)
    of_answers = name in ("accuracy", "mcc", "auc")
    return {
        "Statistic": _NAMES.get(name, name),
        "n": found.score.n if of_answers else found.score.asked,
        "This miner": getattr(found.score, name),
        "Candidate": getattr(found.candidate, name),
        "Difference": difference.value,
        "95% from": low,
        "95% to": high,
    }
