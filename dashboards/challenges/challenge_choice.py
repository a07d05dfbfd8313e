"""Choosing one challenge of very many: filters, then a page of a list, then one of it."""

from collections.abc import Sequence

import streamlit as st

from data.text import printable
from replay.plans.plan import Planned
from replay.rebuilding.fidelity import Fidelity

# More options than this make a selectbox slow: files are then searched, challenges paged.
_MAX_FILES = 200
_PAGE_SIZE = 100

_ALL = "all"
_ID_LENGTH = 16


def choose_challenge(planned: Sequence[Planned]) -> Planned | None:
    """Let the user filter and choose; None if nothing matches."""
    columns = st.columns([3, 2, 2, 3])
    with columns[0]:
        matching = _in_chosen_file(planned)
    with columns[1]:
        levels = sorted({_level(item) for item in planned})
        level = st.selectbox("Augmentation level", [_ALL, *levels])
    with columns[2]:
        fidelity = st.selectbox("Fidelity", [_ALL, *(str(fidelity) for fidelity in Fidelity)])
    with columns[3]:
        prefix = st.text_input("Challenge id begins with").strip().lower()
    matching = [
        item
        for item in matching
        if level in (_ALL, _level(item))
        and fidelity in (_ALL, item.fidelity)
        and item.challenge.challenge_id.startswith(prefix)
    ]
    return _choose_among(matching, len(planned))


def _in_chosen_file(planned: Sequence[Planned]) -> list[Planned]:
    # in the order of the log, in which part_2 comes before part_10
    files = list(dict.fromkeys(item.challenge.file for item in planned))
    if len(files) <= _MAX_FILES:
        file = st.selectbox("Log file", [None, *files], format_func=_file_label)
        return [item for item in planned if file in (None, item.challenge.file)]
    part = st.text_input(f"Log file contains ({len(files):,} files)")
    return [item for item in planned if part in item.challenge.file]


def _file_label(file: str | None) -> str:
    return _ALL if file is None else printable(file, 80)


def _level(item: Planned) -> str:
    level = item.challenge.augmentation.aug_level
    return "none" if level is None else str(level)


def _choose_among(matching: Sequence[Planned], total: int) -> Planned | None:
    if not matching:
        st.info(f"None of {total:,} challenges matches these filters.")
        return None
    pages = -(-len(matching) // _PAGE_SIZE)
    wide, narrow = st.columns([8, 2])
    with narrow:
        page = st.number_input(f"Page of {pages:,}", 1, pages, disabled=pages == 1)
    start = (page - 1) * _PAGE_SIZE
    shown = matching[start : start + _PAGE_SIZE]
    # ids, not challenges, are the options: a choice then survives a new shard
    by_id = {item.challenge.challenge_id: item for item in shown}
    with wide:
        chosen = st.selectbox(
            f"Challenge ({start + 1:,} to {start + len(shown):,} of {len(matching):,} matching, "
            f"{total:,} in all); type to search in these",
            list(by_id),
            index=_first_with_image(shown),
            format_func=lambda challenge_id: _challenge_label(by_id[challenge_id]),
        )
    return by_id[chosen]


def _first_with_image(shown: Sequence[Planned]) -> int:
    """Where to begin: a viewer should open on something to view."""
    exact = (index for index, item in enumerate(shown) if item.fidelity is Fidelity.EXACT)
    return next(exact, 0)


def _challenge_label(item: Planned) -> str:
    challenge = item.challenge
    state = item.fidelity if item.reason is None else f"{item.fidelity}, {item.reason}"
    return (
        f"{printable(challenge.file, 60)} · position {challenge.position} · "
        f"{challenge.challenge_id[:_ID_LENGTH]} · level {_level(item)} · {state}"
    )
