"""What a button does: before the page is drawn anew, and with one line where it is refused."""

from collections.abc import Callable

import streamlit as st

from data.errors import StreetReplayError
from data.text import printable

_PROBLEM = "retraining_problem"


def attempt(action: Callable[[], object]) -> None:
    """Do it, as a button's `on_click`, however the store stands by now."""
    try:
        action()
    except (StreetReplayError, OSError) as error:
        st.session_state[_PROBLEM] = str(error)


def draw_problem() -> None:
    """Say why the last attempt was refused, once."""
    problem = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        st.error("This was not done:", icon=":material/error:")
        st.code(printable(problem), language=None, wrap_lines=True)
