"""A choice that the page's link holds as what is chosen, not as the words that are shown for it."""

from collections.abc import Mapping

import streamlit as st


def linked_choice(label: str, options: Mapping[str, str], key: str) -> str:
    """Let the user choose; a link with `?key=OPTION` opens the page with that choice.

    Streamlit's own binding to links holds the words shown, which change and may be of a log.

    Args:
        label: of the choice.
        options: what can be chosen, with the words shown for each; the first is the default.
        key: of the parameter in the link.
    """
    widget, seen = f"{key}_choice", f"{key}_seen"
    linked = st.query_params.get(key)
    # a link wins when it is followed, not after something else was chosen on the page
    if linked in options and linked != st.session_state.get(seen):
        st.session_state[widget] = linked
    if st.session_state.get(widget) not in options:
        st.session_state[widget] = next(iter(options))
    chosen = st.selectbox(label, list(options), format_func=options.__getitem__, key=widget)
    st.session_state[seen] = chosen
    hold_in_link(key, chosen)
    return chosen


def hold_in_link(key: str, value: str) -> None:
    """Let the page's link hold a value, and send it to the page only where it does not yet.

    What is sent is the whole link as it was when this run of the script began: it takes from the
    page's address what was chosen since.
    """
    if st.query_params.get(key) != value:
        st.query_params[key] = value
