"""What the page says first: how many challenges match, and who is right on them how often."""

import streamlit as st

from analytics.comparison.intervals import Interval
from analytics.listing.challenge_filter import ChallengeFilter
from analytics.listing.list_summary import ListSummary, RightShare
from data.text import printable


def draw_answer(found: ListSummary, chosen: ChallengeFilter) -> None:
    """Say it, and what was left out."""
    st.markdown(f"**{found.matching:,} of {found.total:,}** challenges match{_rest(found, chosen)}")
    if found.matching and chosen.chooses_by_outcome:
        st.caption(
            "The filter itself chooses by who was right, so these shares describe the choice, and "
            "say nothing of who is better."
        )
    left_out = sum(found.left_out.values())
    if left_out:
        reasons = ", ".join(f"{count:,} × {why}" for why, count in found.left_out.items())
        # as text: a reason may quote a log
        st.text(f"Left out of the shares: {left_out:,} challenges ({printable(reasons, 400)})")


def _rest(found: ListSummary, chosen: ChallengeFilter) -> str:
    if not found.matching:
        return "."
    whose = "miners" if chosen.miner is None else "that miner"
    plain = chosen.chooses_by_outcome
    miners = f"{whose} on {_in_words(found.miners, plain=plain)} of their answers"
    if chosen.miner is not None:
        miners = f"{whose} on {_in_words(found.miners, plain=plain)} of its answers"
    silent = f"; {found.silent:,} without an answer are left out" if found.silent else ""
    counted = f"{found.miners.answered:,} answers, {found.miners.images:,} source images{silent}"
    if found.candidate is None:
        return f": {miners} ({counted}). No replay is shown beside them."
    if not found.candidate.answered:
        return ": the candidate answered none of them."
    return (
        f": the candidate is right on {_in_words(found.candidate, plain=plain)} of the "
        f"{found.candidate.answered:,} that it answered, {miners} to the same ones "
        f"({counted}){_difference(found, plain=plain)}."
    )


def _in_words(share: RightShare, *, plain: bool) -> str:
    if share.share is None:
        return "none"
    return f"**{share.share:.1%}**" + ("" if plain else _ends(share.interval))


def _ends(interval: Interval | None) -> str:
    if interval is None:
        return " (fewer than 10 source images: no interval)"
    return f" (95% {interval[0]:.1%} to {interval[1]:.1%})"


def _difference(found: ListSummary, *, plain: bool) -> str:
    if plain or found.difference is None or found.difference_interval is None:
        return ""
    low, high = (100 * end for end in found.difference_interval)
    return (
        f": {100 * found.difference:+.1f} percentage points for the candidate (95% {low:+.1f} to "
        f"{high:+.1f})"
    )
