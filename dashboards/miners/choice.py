"""Choosing a miner: by the link, else as last time; and whose log: a validator's."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import streamlit as st

from analytics.lives.order import Life
from analytics.miners.answers import Miner
from analytics.standings.leaderboard import Standing
from dashboards.parts.linked_choice import hold_in_link, linked_choice
from data.kept_values import keep, read_kept
from data.store import Store
from data.text import printable
from replay.comparing.short_hotkey import short_hotkey

_PARAMETER = "miner"
_CHOICE, _TYPED = "miner_choice", "miner_typed"
_FILE = "my-miner.json"
_LONGEST = 100


@dataclass(frozen=True)
class MinerChoice:
    """What the store's settings keep: the miner that was chosen last, `UID:HOTKEY`."""

    miner: str


def miner_link(miner: Miner) -> str:
    """The address of a miner's page."""
    return f"/my_miner?{_PARAMETER}={quote(miner_text(miner), safe='')}"


def challenge_link(challenge_id: str) -> str:
    """The address of a challenge's page."""
    return f"/challenges?challenge={quote(challenge_id, safe='')}"


def miner_text(miner: Miner) -> str:
    """A miner as links and settings name it; a log may hold a hotkey of megabytes."""
    return f"{miner.uid}:{miner.hotkey[:_LONGEST]}"


def shown_hotkey(hotkey: str) -> str:
    """A hotkey shortened, and safe to show."""
    return printable(short_hotkey(hotkey))


def find_miner(standings: Sequence[Standing], text: str) -> Standing | None:
    """The miner that a text names: `UID:HOTKEY`, a uid, or a hotkey or its beginning.

    A uid alone is its present hotkey's; of several uids of one hotkey the one that has it now, or
    else was asked most, counts.

    Args:
        standings: of all miners.
        text: as a person or a link gives it.
    """
    text = text.strip()
    if not text:
        return None
    by_text = {miner_text(one.miner): one for one in standings}
    if text in by_text:
        return by_text[text]
    uid = text.partition(":")[0]
    if uid.isascii() and uid.isdigit():
        matching = [one for one in standings if one.miner.uid == int(uid[:9])]
    else:
        matching = [one for one in standings if one.miner.hotkey.startswith(text)]
        exact = [one for one in matching if one.miner.hotkey == text]
        matching = exact or matching
    return max(matching, key=lambda one: (one.is_present, one.asked), default=None)


def choose_miner(store: Store, standings: Sequence[Standing]) -> Standing:
    """Let the person choose; the choice goes into the link and into the store's settings.

    Args:
        store: which keeps the choice.
        standings: of all miners, at least one.
    """
    options = {miner_text(one.miner): one for one in standings}
    notes = _begin(store, standings)
    if st.session_state.get(_CHOICE) not in options:
        first = max(standings, key=lambda one: (one.is_present, one.asked))
        st.session_state[_CHOICE] = miner_text(first.miner)
    left, right = st.columns([3, 2])
    with left:
        chosen = st.selectbox(
            "Miner",
            list(options),
            format_func=lambda text: _label(options[text]),
            key=_CHOICE,
            on_change=_keep,
            args=(store, standings, _CHOICE),
        )
    with right:
        st.text_input(
            "or its uid or hotkey",
            key=_TYPED,
            max_chars=200,
            placeholder="5, or 5dyK77…",
            on_change=_keep,
            args=(store, standings, _TYPED),
        )
    # below the widgets: above them a note that comes or goes would make others of them
    for note in notes:
        st.text(note)
    return options[chosen]


def choose_life(lives: Sequence[Life]) -> Life | None:
    """Let the person choose a validator's log; None: all of them."""
    if len(lives) < 2:  # noqa: PLR2004
        return None
    by_name = {life.name: life for life in lives}
    words = {"": "all"} | {
        name: f"{shown_hotkey(name)} · {life.challenges:,} challenges"
        for name, life in by_name.items()
    }
    return by_name.get(linked_choice("Validator's log", words, "validator"))


def _label(one: Standing) -> str:
    was = "" if one.is_present else " · no longer on this uid"
    return f"uid {one.miner.uid} · {shown_hotkey(one.miner.hotkey)} · asked {one.asked:,}{was}"


def _begin(store: Store, standings: Sequence[Standing]) -> list[str]:
    """Take the choice of the link, else that of the settings; what is to be said of either."""
    linked = st.query_params.get(_PARAMETER)
    file = store.settings / _FILE
    kept = read_kept(file, MinerChoice)
    notes = []
    if kept is None and file.exists():
        notes.append(f"settings/{_FILE} is damaged and was ignored; the next choice replaces it.")
    if linked is None and _CHOICE in st.session_state:
        return notes
    text = linked
    if text is None and kept is not None:
        text = kept.miner
    if text is None:
        return [
            *notes,
            "No miner was chosen yet: this is one of those asked most. Yours is remembered.",
        ]
    found = find_miner(standings, text)
    if found is None:
        return [*notes, f"No miner {printable(text, 80)} in this store; choose another."]
    st.session_state[_CHOICE] = miner_text(found.miner)
    hold_in_link(_PARAMETER, miner_text(found.miner))
    return notes


def _keep(store: Store, standings: Sequence[Standing], widget: str) -> None:
    """Put what was chosen or typed into link and settings."""
    typed = str(st.session_state[widget])
    if not typed.strip():
        return
    found = find_miner(standings, typed)
    # what names no miner is said when the page is drawn
    st.query_params[_PARAMETER] = typed if found is None else miner_text(found.miner)
    if found is not None:
        keep(store.settings / _FILE, MinerChoice(miner_text(found.miner)))
        st.session_state[_TYPED] = ""
