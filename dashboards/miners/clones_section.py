"""Section: groups of miners whose answers are equal beyond chance."""

import pandas as pd
import streamlit as st

from analytics.standings.together import MinersTogether
from dashboards.miners.choice import shown_hotkey
from dashboards.miners.suspects_section import pair_numbers
from dashboards.parts.table import draw_table


def draw_clones(together: MinersTogether) -> None:
    """Draw a sentence, the groups, and the pairs behind them."""
    clones = together.clones
    grouped = sum(len(group.miners) for group in clones.groups)
    tested = (
        f"{clones.pairs_tested:,} pairs tested (Holm), {clones.pairs_left_out:,} left out with "
        f"fewer than {clones.settings.few_shared} shared challenges"
    )
    st.markdown(
        f"Clone groups: **{len(clones.groups):,}**, of **{grouped:,}** miners, which share more "
        f"than {clones.settings.copied_share:.0%} of their answers beyond chance; {tested}."
    )
    suspects = [test.miner for test in together.memorisation.tests if test.suspect]
    st.markdown(
        f"**{len(suspects):,}** of {len(together.memorisation.tests):,} miners tested are "
        f"suspected to remember images; {together.memorisation.left_out:,} left out, with too few "
        "images sent to them twice."
    )
    pairs = [
        {
            "Group": f"{number}, of {len(group.miners)}",
            "Uids": f"{pair.first.uid}, {pair.second.uid}",
            "Hotkeys": f"{shown_hotkey(pair.first.hotkey)}, {shown_hotkey(pair.second.hotkey)}",
            **pair_numbers(pair),
        }
        for number, group in enumerate(clones.groups, 1)
        for pair in group.pairs
    ]
    if pairs:
        draw_table(
            pd.DataFrame(pairs),
            "clone_pairs.csv",
            {"p (Holm)": st.column_config.NumberColumn(format="%.2g")},
            shares=["Equal beyond chance", "95% from", "95% to"],
            all_rows=len(pairs) <= 20,  # noqa: PLR2004
        )
