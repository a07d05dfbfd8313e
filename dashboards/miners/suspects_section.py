"""Section: whose answers a miner's are too equal to, and what else is odd about them."""

import pandas as pd
import streamlit as st

from analytics.miners.answers import Miner
from analytics.miners.clones import CloneGroup, ClonePair
from analytics.miners.habits import Habits
from analytics.miners.memorised_images import MemorisationTest
from analytics.standings.together import MinersTogether
from dashboards.miners.choice import miner_link, shown_hotkey
from dashboards.parts.table import draw_table


def draw_suspects(together: MinersTogether, miner: Miner) -> None:
    """Draw sentences, and the table of clones where there are some.

    Args:
        together: of all miners.
        miner: the chosen one.
    """
    group = clone_group(together, miner)
    clones = together.clones
    if group is None:
        st.markdown(
            "**No clone**: with no other miner it shares more than "
            f"{clones.settings.copied_share:.0%} of its answers beyond chance "
            f"({clones.pairs_tested:,} pairs of miners tested, {clones.pairs_left_out:,} left out "
            f"with fewer than {clones.settings.few_shared} shared challenges)."
        )
    else:
        st.markdown(
            f"**A clone group of {len(group.miners)}**: their answers are equal beyond chance "
            f"(within {clones.settings.tolerance:g}; Holm over {clones.pairs_tested:,} pairs)."
        )
        _draw_pairs(group, miner)
    st.markdown(_memory(together, miner))
    habits = next(
        (one for one in together.habits if (one.uid, one.hotkey) == (miner.uid, miner.hotkey)), None
    )
    if habits is not None and (odd := habit_names(habits)):
        st.markdown(f"**Habits**: {', '.join(odd)}.")


def clone_group(together: MinersTogether, miner: Miner) -> CloneGroup | None:
    """The clone group that a miner is in."""
    return next((group for group in together.clones.groups if miner in group.miners), None)


def habit_names(habits: Habits) -> list[str]:
    """What is odd about a miner's answers."""
    flags = {
        "almost only 0 and 1": habits.hard,
        "mostly silent": habits.mostly_silent,
        f"{habits.out_of_range:,} answers outside 0 to 1": habits.out_of_range > 0,
        f"{habits.not_finite:,} not finite": habits.not_finite > 0,
    }
    return [name for name, holds in flags.items() if holds]


def _draw_pairs(group: CloneGroup, miner: Miner) -> None:
    pairs = [pair for pair in group.pairs if miner in (pair.first, pair.second)]
    frame = pd.DataFrame(
        {
            "Page": miner_link(other),
            "Uid": other.uid,
            "Hotkey": shown_hotkey(other.hotkey),
            **pair_numbers(pair),
        }
        for pair in pairs
        for other in [pair.second if pair.first == miner else pair.first]
    )
    columns = {
        "Page": st.column_config.LinkColumn(display_text=":material/open_in_new:", width=50),
        "p (Holm)": st.column_config.NumberColumn(format="%.2g"),
    }
    draw_table(frame, "clones.csv", columns, shares=["Equal beyond chance", "95% from", "95% to"])


def pair_numbers(pair: ClonePair) -> dict[str, object]:
    """What a table says of two miners whose answers are equal beyond chance."""
    low, high = pair.interval
    return {
        "n shared": pair.shared,
        "Equal answers": pair.ties,
        "By chance": round(pair.expected, 1),
        "Equal beyond chance": pair.excess,
        "95% from": low,
        "95% to": high,
        "p (Holm)": pair.p_value,
    }


def _memory(together: MinersTogether, miner: Miner) -> str:
    test = next((one for one in together.memorisation.tests if one.miner == miner), None)
    if test is None:
        return "**Memory** of images: too few images were sent to it twice to tell."
    verdict = "it is suspected to remember images" if test.suspect else "no suspicion"
    return f"**Memory** of images: {verdict}. {_memory_numbers(test)}"


def _memory_numbers(test: MemorisationTest) -> str:
    low, high = test.paired_interval
    return (
        f"Right in {test.first_accuracy:.0%} of {test.first_sights:,} first answers to an image, "
        f"in {test.repeat_accuracy:.0%} of {test.repeats:,} later ones; on the {test.images:,} "
        f"images it was sent again, later less first {test.paired_difference:+.2f} (95% {low:+.2f} "
        f"to {high:+.2f}), p = {test.p_value:.2g} by Holm."
    )
