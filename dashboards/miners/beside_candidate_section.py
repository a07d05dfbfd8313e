"""Section: every miner beside the candidate, with the tests of all of them together."""

from collections.abc import Set as AbstractSet

import pandas as pd
import streamlit as st

from analytics.miners.answers import Miner
from dashboards.miners.choice import miner_link, shown_hotkey
from dashboards.parts.table import draw_table
from replay.comparing.results import Comparison, MinerComparison

_SURE = 0.05


def draw_beside_candidate(compared: Comparison, shown: AbstractSet[Miner]) -> None:
    """Draw a sentence, and the table of the miners that are shown.

    Args:
        compared: with every miner.
        shown: the miners that the filters hold.
    """
    st.markdown(_sentence(compared))
    miners = [one for one in compared.miners if Miner(one.uid, one.hotkey) in shown]
    if not miners:
        st.info("None of the miners shown was asked what the candidate predicted.")
        return
    number = st.column_config.NumberColumn
    signed = ("Difference", "95% from", "95% to", "Reward difference", "Reward, 95% from")
    draw_table(
        pd.DataFrame([_row(one) for one in miners]),
        "beside_candidate.csv",
        {
            "Page": st.column_config.LinkColumn(display_text=":material/open_in_new:", width=50),
            **dict.fromkeys(("MCC", "Candidate's MCC"), number(format="%.2f")),
            **dict.fromkeys((*signed, "Reward, 95% to"), number(format="%+.2f")),
            **dict.fromkeys(("p", "p (Holm)"), number(format="%.2g")),
        },
        all_rows=False,
    )


def _sentence(compared: Comparison) -> str:
    tests = [one.mcnemar for one in compared.miners if one.mcnemar is not None]
    sure = [test for test in tests if test.holm_p < _SURE]
    ahead = sum(test.candidate_only > test.miner_only for test in sure)
    left_out = sum(compared.left_out.values())
    none = ""
    if compared.without_shared:
        none = f", and {compared.without_shared:,} miners that were asked none of the others"
    return (
        f"By McNemar's exact test, Holm over all {len(tests):,} miners, the candidate is right "
        f"more often than **{ahead:,}** and less often than **{len(sure) - ahead:,}** of them "
        f"beyond chance (p below {_SURE:g}), each on the challenges that both answered. "
        f"{left_out:,} challenges without a usable prediction are left out{none}."
    )


def _row(one: MinerComparison) -> dict[str, object]:
    mcc, reward, test = one.differences["mcc"], one.differences["reward"], one.mcnemar
    low, high = mcc.interval or (None, None)
    reward_low, reward_high = reward.interval or (None, None)
    return {
        "Page": miner_link(Miner(one.uid, one.hotkey)),
        "Uid": one.uid,
        "Hotkey": shown_hotkey(one.hotkey),
        "n": one.score.n,
        "Left out": sum(one.left_out.values()),
        "MCC": one.score.mcc,
        "Candidate's MCC": one.candidate.mcc,
        "Difference": mcc.value,
        "95% from": low,
        "95% to": high,
        "Only candidate right": None if test is None else test.candidate_only,
        "Only miner right": None if test is None else test.miner_only,
        "p": None if test is None else test.p,
        "p (Holm)": None if test is None else test.holm_p,
        "Reward difference": reward.value,
        "Reward, 95% from": reward_low,
        "Reward, 95% to": reward_high,
    }
