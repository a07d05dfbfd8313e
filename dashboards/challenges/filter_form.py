"""The choices of which challenges are listed; each is kept in the page's link."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from analytics.listing.challenge_filter import ChallengeFilter, Range, Sorting
from analytics.listing.slices import MOST_VALUES, Slices
from analytics.queries.challenge_answers import AnswerOutcome
from data.text import printable

_ALL = "all"
_OUTCOMES = {_ALL: None} | {str(outcome): outcome for outcome in AnswerOutcome}
_MINER_OUTCOMES = {
    name: outcome for name, outcome in _OUTCOMES.items() if outcome is not AnswerOutcome.NOT_ASKED
}
_LABELS = {_ALL: None, "1 · roadwork": 1, "0 · no roadwork": 0}
_LEVELS = {None: "none logged", -1: "-1 · failed"}
_SORTINGS = {
    "time, oldest first": Sorting.OLDEST,
    "time, newest first": Sorting.NEWEST,
    "miners wrong, most first": Sorting.MOST_WRONG,
    "miners wrong, least first": Sorting.LEAST_WRONG,
    "difficulty, hardest first": Sorting.HARDEST,
    "difficulty, easiest first": Sorting.EASIEST,
}
_HARD = 6.0
"""Logits: beyond it lies no difficulty of ten answers, and an end there leaves that side open."""
_NONE = "none logged"

Value = TypeVar("Value")


def choose_challenges(values: Slices, *, with_run: bool) -> ChallengeFilter:
    """The conditions that the user chose.

    Args:
        values: of the store's challenges.
        with_run: whether a replay is shown; without one there is no candidate and no fidelity.
    """
    first, second, third, fourth = st.columns(4)
    with first:
        candidate = _choice("Candidate is", _OUTCOMES, "candidate", disabled=not with_run)
    with second:
        label = _choice("Scored label", _LABELS, "scored")
    with third:
        levels = _several("Augmentation level", values.levels, "levels", _level_text)
    with fourth:
        wrong = _wrong_shares()
    with st.expander("More filters: city, source, era, fidelity, miner, id, difficulty"):
        first, second, third, fourth = st.columns(4)
        with first:
            cities = _several("City", values.cities, "cities", _text)
        with second:
            sources = _several("Source", values.sources, "sources", _text)
        with third:
            eras = _several("Era", values.eras, "eras", _text)
        with fourth:
            fidelities = _several(
                "Fidelity", values.fidelities, "fidelities", _text, disabled=not with_run
            )
        first, second, third, fourth = st.columns(4)
        with first:
            miner = st.text_input(
                "Miner, as UID or UID:HOTKEY", key="of_miner", bind="query-params", max_chars=80
            ).strip()
        with second:
            miner_outcome = _choice(
                "This miner is", _MINER_OUTCOMES, "miner_outcome", disabled=not miner
            )
        with third:
            prefix = st.text_input(
                "Challenge id begins with", key="id_prefix", bind="query-params", max_chars=64
            )
        with fourth:
            difficulties = _difficulties()
    return ChallengeFilter(
        candidate=candidate if with_run else None,
        miner=miner or None,
        miner_outcome=miner_outcome if miner else None,
        sources=sources,
        cities=cities,
        eras=eras,
        levels=levels,
        label=label,
        wrong_shares=wrong,
        difficulties=difficulties,
        fidelities=fidelities if with_run else (),
        id_prefix=prefix.strip().lower(),
    )


def choose_sorting() -> Sorting:
    """How the list is sorted, as the user chose."""
    return _choice("Sorted by", _SORTINGS, "sorted_by")


def _choice(name: str, values: dict[str, Value], key: str, *, disabled: bool = False) -> Value:
    return values[st.selectbox(name, list(values), key=key, bind="query-params", disabled=disabled)]


def _several(
    name: str,
    values: Sequence[Value],
    key: str,
    text: Callable[[Value], str],
    *,
    disabled: bool = False,
) -> tuple[Value, ...]:
    """Some of these, or none for all."""
    by_text = {text(value): value for value in sorted(values, key=text)}
    note = f"The {MOST_VALUES} most frequent." if len(values) == MOST_VALUES else None
    chosen = st.multiselect(
        name,
        list(by_text),
        key=key,
        bind="query-params",
        disabled=disabled,
        placeholder=_ALL,
        help=note,
    )
    return tuple(by_text[one] for one in chosen)


def _text(value: str | None) -> str:
    # a log may name a source or a city as it likes
    return _NONE if value is None else printable(value, 40)


def _level_text(level: int | None) -> str:
    return _LEVELS.get(level, str(level))


def _wrong_shares() -> Range | None:
    """Percent of miners' answers; all of it also takes challenges that nobody answered."""
    low, high = st.slider(
        "Miners wrong, %", 0, 100, (0, 100), step=5, key="miners_wrong", bind="query-params"
    )
    return None if (low, high) == (0, 100) else (low / 100, high / 100)


def _difficulties() -> Range | None:
    """In logits; all of it also takes challenges without one."""
    low, high = st.slider(
        "Difficulty, logits",
        -_HARD,
        _HARD,
        (-_HARD, _HARD),
        step=0.5,
        key="difficulty",
        bind="query-params",
    )
    if (low, high) == (-_HARD, _HARD):
        return None
    return (-math.inf if low == -_HARD else low, math.inf if high == _HARD else high)
