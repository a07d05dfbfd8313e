"""The head of a page: its title, what it is about, and the store; what to run where it has none."""

import streamlit as st

from data.store import Store, open_store
from data.text import printable

_NO_WAREHOUSE = (
    "This store holds no logs yet. In a terminal, make a small simulated world to look at, or read "
    "a validator's logs (JSON, W&B media files or run folders); then load this page again:"
)


def draw_page_head(title: str, caption: str) -> Store | None:
    """Draw it.

    Args:
        title: of the page.
        caption: what the page is about, in a sentence.

    Returns:
        The store; None where it holds no warehouse, after saying what to run.
    """
    st.title(title)
    st.caption(caption)
    store = open_store()
    # as text: a folder may be named as its owner likes
    st.text(f"Store: {printable(str(store.root))}")
    if store.warehouse.is_file():
        return store
    st.info(_NO_WAREHOUSE, icon=":material/info:")
    st.code("make demo\nstreetreplay ingest LOG", language=None)
    return None
