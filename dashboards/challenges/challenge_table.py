"""A page of the list of matching challenges; a row that is chosen opens the challenge."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from analytics.listing.challenge_list import ListedChallenge
from dashboards.challenges import access
from dashboards.challenges.outcomes import MARKS
from data.text import printable

OPENED = "challenge"
"""The parameter of the page's link that names the challenge that is open."""

PAGE_SIZE = 20
_MOST_IN_FILE = 100_000
_STEPS = "steps between challenges"


def draw_challenge_table(listing: access.Listing, matching: int) -> None:
    """Draw a page of the list, which the user chooses.

    Args:
        listing: of which challenges.
        matching: how many they are, at least 1.
    """
    pages = -(-matching // PAGE_SIZE)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key="list_page", bind="query-params")
    offset = (page - 1) * PAGE_SIZE
    shown = access.page(listing, offset, PAGE_SIZE)
    ids = [one.challenge_id for one in shown]
    opened = st.query_params.get(OPENED)
    # a table of its own for each list, page, and step to another challenge, so that no choice of an
    # earlier one is left in it
    key = f"{listing.run_id} {listing.sorting} {ids[0]} {len(ids)} {ids[-1]} {_steps()}"
    rows = [ids.index(opened)] if opened in ids else []
    frame = pd.DataFrame([_row(one, with_run=listing.run_id is not None) for one in shown])
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        placeholder="–",
        key=key,
        on_select=lambda: _open_chosen(key, ids),
        selection_mode="single-row",
        selection_default={"selection": {"rows": rows}},
        column_config=_columns(),
    )
    last = offset + len(shown)
    st.caption(
        f"{offset + 1:,} to {last:,} of {matching:,}. Choose a row to open the challenge below."
    )
    first = "" if matching <= _MOST_IN_FILE else f", the first {_MOST_IN_FILE:,}"
    st.download_button(
        f"Download the list as CSV{first}",
        partial(access.as_csv, listing, _MOST_IN_FILE),
        "challenges.csv",
        "text/csv",
        key="challenges.csv",
        on_click="ignore",
    )


def step_to(challenge_id: str | None) -> None:
    """Open another challenge, or none."""
    st.session_state[_STEPS] = _steps() + 1
    if challenge_id is None:
        st.query_params.pop(OPENED, None)
    else:
        st.query_params[OPENED] = challenge_id


def _steps() -> int:
    return int(st.session_state.get(_STEPS, 0))


def _open_chosen(key: str, ids: Sequence[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.query_params[OPENED] = ids[rows[0]]
    else:
        st.query_params.pop(OPENED, None)


def _row(one: ListedChallenge, *, with_run: bool) -> dict[str, object]:
    right = one.right_share
    shown: dict[str, object] = {"Challenge": printable(one.challenge_id, 64)}
    if with_run:
        shown |= {"Candidate": one.probability, "Candidate is": MARKS[one.candidate]}
    shown |= {
        "Miners right": None if right is None else 100 * right,
        "Answers": f"{one.answered} of {one.asked}",
        "Label": one.label,
        "Level": one.level,
    }
    if with_run:
        shown["Fidelity"] = _fidelity(one)
    return shown | {
        "Difficulty": one.difficulty,
        "Era": one.era,
        "Time (UTC)": one.time,
        "City": None if one.city is None else printable(one.city, 40),
    }


def _fidelity(one: ListedChallenge) -> str | None:
    if one.fidelity is None or one.reason is None:
        return one.fidelity
    return f"{one.fidelity}: {printable(one.reason, 60)}"


def _columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "Time (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
        "Level": number(help="Of augmentation; -1: it failed."),
        "Label": number(help="Scored: 1 is roadwork."),
        "Miners right": number(format="%.0f%%", help="Of their finite answers."),
        "Answers": text(help="Finite answers, and miners asked."),
        "Difficulty": number(format="%.2f", help="Logits above the mean miner's ability."),
        "Candidate": number(format="%.3f", help="Its probability of roadwork."),
        "Fidelity": text(help="Of the images that the candidate was shown in this replay."),
    }
