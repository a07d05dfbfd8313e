"""The Overview page: a candidate among miners, and what the store holds."""

import streamlit as st

from analytics.queries.overview import Overview
from dashboards.parts import challenge_counts, miner_comparison, store_access
from dashboards.parts.run_choice import choose_run
from data.store import Store, open_store

_NO_WAREHOUSE = (
    "This store holds no logs yet. In a terminal, make a small simulated world to look at:"
)
_NO_RUN = (
    "No candidate has been replayed on this store yet, so there is nothing to set beside the "
    "miners. In a terminal, run the baseline that comes along:"
)


def draw_page() -> None:
    """Draw the page."""
    st.title("Overview")
    store = open_store()
    st.caption("What validators logged, how miners answered, and a candidate on the same images.")
    st.text(f"Store: {store.root}")
    if not store.warehouse.is_file():
        _write_how_to_begin()
        return
    with store_access.errors_in_one_line():
        _draw_sections(store)


def _draw_sections(store: Store) -> None:
    version = store_access.warehouse_version(store)
    overview = store_access.overview(version)
    if not overview.totals.challenges:
        _draw_totals(overview)
        _write_how_to_begin()
        return
    st.header("A candidate in every miner's place", divider="gray")
    run = choose_run(
        store_access.replay_runs(version), _NO_RUN, "streetreplay replay --model orange"
    )
    if run is not None:
        miner_comparison.draw_miner_comparison(version, run.run_id)
    st.header("What the store holds", divider="gray")
    _draw_totals(overview)
    challenge_counts.draw_challenge_counts(overview)


def _write_how_to_begin() -> None:
    st.info(_NO_WAREHOUSE, icon=":material/info:")
    st.code("make demo", language=None)
    st.write("or read a validator's logs (JSON, W&B media files or run folders):")
    st.code("streetreplay ingest LOG", language=None)
    st.write("then load this page again.")


def _draw_totals(overview: Overview) -> None:
    totals = overview.totals
    rejects = totals.records_rejected + totals.values_rejected
    numbers = (
        ("Challenges", totals.challenges, f"log files: {totals.files:,}"),
        ("Responses", totals.responses, f"{totals.unanswered:,} without an answer (-1)"),
        ("Miners", totals.miners, f"uid + hotkey pairs, on {totals.uids:,} uids"),
        (
            "Rejects",
            rejects,
            f"{totals.records_rejected:,} records, {totals.values_rejected:,} values",
        ),
    )
    for column, (label, number, note) in zip(st.columns(len(numbers)), numbers, strict=True):
        column.metric(label, f"{number:,}", border=True)
        column.caption(note)
    st.caption(" ".join(_notes(overview)))


def _notes(overview: Overview) -> list[str]:
    totals, notes = overview.totals, []
    if totals.first_time and totals.last_time:
        notes.append(
            f"Logged {totals.first_time:%Y-%m-%d %H:%M} to {totals.last_time:%Y-%m-%d %H:%M} UTC."
        )
    if totals.without_time:
        notes.append(f"{totals.without_time:,} of {totals.challenges:,} challenges carry no time.")
    if totals.not_finite:
        notes.append(f"{totals.not_finite:,} responses are NaN or infinite.")
    if totals.records_rejected or totals.values_rejected:
        notes.append(
            "Rejects are what could not be read: `streetreplay sql 'FROM rejects'` lists them."
        )
    return notes


draw_page()
