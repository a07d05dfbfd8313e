"""The head of a page: its title, what it is about, and the store; what to run where it has none."""

from contextlib import suppress
from datetime import timedelta

import duckdb
import streamlit as st

from analytics.warehouse.false_signatures import false_signatures_text
from dashboards.parts.store_access import (
    errors_in_one_line,
    false_signatures,
    warehouse_version,
)
from data.errors import StreetReplayError
from data.progress import silent
from data.remote_store.opening import refreshed_store
from data.store import Store
from data.text import printable

_FETCHED_EVERY = timedelta(minutes=1)
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
    store = _draw_store()
    if store is None:
        return None
    if store.warehouse.is_file():
        _name_false_signatures(store)
        return store
    st.info(_NO_WAREHOUSE, icon=":material/info:")
    st.code("make demo\nstreetreplay ingest LOG", language=None)
    return None


def _draw_store() -> Store | None:
    """Say which store it is and how old; None where a server cannot be read, after saying why."""
    with errors_in_one_line():
        with st.spinner("Looking at the store …", show_time=True):
            store, fetched, problem = refreshed_store(_FETCHED_EVERY, silent)
        age = "" if fetched is None else f", as of {fetched:%Y-%m-%d %H:%M:%S} UTC"
        # as text: a folder may be named as its owner likes
        st.text(f"Store: {printable(str(store))}{age}")
        if problem:
            st.warning("It could not be fetched again:", icon=":material/cloud_off:")
            st.code(printable(problem), language=None, wrap_lines=True)
        return store
    return None


def _name_false_signatures(store: Store) -> None:
    """Say on every page which runs name a hotkey that did not sign them."""
    # what a store lacks, the page itself says
    with suppress(StreetReplayError, duckdb.Error, OSError):
        if found := false_signatures(warehouse_version(store)):
            st.text(false_signatures_text(found))
