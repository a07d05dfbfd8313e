"""The Overview page: how the candidate stands, what changed, what needs attention, what is held."""

from datetime import UTC, datetime

import streamlit as st

from analytics.audit.kept_audit import KeptAudit, kept_audit
from analytics.queries.overview import Overview
from analytics.queries.replay_runs import ReplayRun
from analytics.standings.together import kept_together
from dashboards.comparing.verdict import draw_verdict
from dashboards.overview.attention import Notice, Standing, notices
from dashboards.overview.audit_section import draw_audit
from dashboards.overview.challenge_counts import draw_challenge_counts
from dashboards.overview.coverage import draw_coverage
from dashboards.overview.time_chart import draw_over_time
from dashboards.overview.visits import Visit, changes, previous_visit
from dashboards.parts import store_access
from dashboards.parts.comparison_access import draw_until_compared, find_comparison
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.run_choice import choose_run
from dashboards.retraining import access
from data.errors import StreetReplayError
from data.store import Store
from model.champion.pointer import read_pointer
from model.retraining.background import RowsFolder
from model.retraining.decision_now import DecisionNow
from replay.comparing.results import Comparison

_NO_RUN = (
    "No candidate has been replayed on this store yet, so there is nothing to set beside the "
    "miners. In a terminal, run the baseline that comes along:"
)
_COMMAND = "streetreplay replay --model orange"


def draw_page() -> None:
    """Draw the page."""
    caption = "What validators logged, how miners answered, and a candidate on the same images."
    store = draw_page_head("Overview", caption)
    if store is not None:
        with store_access.errors_in_one_line():
            _draw_sections(store)


def _draw_sections(store: Store) -> None:
    version = store_access.warehouse_version(store)
    overview = store_access.overview(version)
    if not overview.totals.challenges:
        _draw_totals(overview)
        st.info("This store holds no challenge yet. In a terminal:", icon=":material/info:")
        st.code("streetreplay ingest LOG", language=None)
        return
    run = choose_run(store_access.replay_runs(version), _NO_RUN, _COMMAND)
    compared = None if run is None else _draw_candidate(version, run)
    _draw_changes(store, version, overview)
    st.header("What needs attention", divider="gray")
    attention = st.container()
    _draw_store(version, overview, run)
    # last, for the decision may read every source row
    with attention:
        _draw_notices(notices(_standing(store, version, overview, run, compared)))


def _draw_candidate(version: store_access.Version, run: ReplayRun) -> Comparison | None:
    with store_access.errors_in_one_line():
        kept = draw_until_compared(version, run.run_id)
        if kept is None:
            return None
        draw_verdict(kept.comparison)
        st.page_link(
            "app_pages/comparison.py",
            label="Beside every miner, by slice, and against other runs",
            icon=":material/compare_arrows:",
            query_params={"run": run.run_id},
        )
        return kept.comparison
    return None


def _draw_changes(store: Store, version: store_access.Version, overview: Overview) -> None:
    totals = overview.totals
    pointer = read_pointer(store)
    now = Visit(
        at=datetime.now(UTC),
        last_logged=totals.last_time,
        challenges=totals.challenges,
        responses=totals.responses,
        miners=totals.miners,
        rejects=totals.records_rejected + totals.values_rejected,
        replays=len(store_access.replay_runs(version)),
        champion=None if pointer is None else pointer.sha256,
    )
    previous = previous_visit(store, now)
    if previous is None:
        return
    since = f"Since your last visit ({previous.at:%Y-%m-%d %H:%M} UTC"
    if previous.last_logged is not None:
        since += f", logged until {previous.last_logged:%Y-%m-%d %H:%M}"
    changed = changes(now, previous)
    st.markdown(f"{since}): **{', '.join(changed)}**." if changed else f"{since}): nothing new.")


def _standing(
    store: Store,
    version: store_access.Version,
    overview: Overview,
    run: ReplayRun | None,
    compared: Comparison | None,
) -> Standing:
    audit = kept_audit(store)
    return Standing(
        totals=overview.totals,
        audit=audit,
        audit_is_current=_is_current(version, audit),
        coverage=[] if run is None else store_access.fidelity_counts(version, run.run_id),
        compared=None if run is None or compared is None else _with_slices(version, run, compared),
        # what `streetreplay miners` kept: of older logs it may still be a reason to look
        together=kept_together(store),
        decision=_decision(store, version),
    )


def _with_slices(version: store_access.Version, run: ReplayRun, compared: Comparison) -> Comparison:
    """The comparison that has slices, where the page Replay and compare had them computed."""
    found = find_comparison(version, run.run_id, slices=True)
    return compared if found is None or not found.current else found.kept.comparison


def _is_current(version: store_access.Version, audit: KeptAudit | None) -> bool:
    return audit is not None and audit.contents == store_access.contents(version)


def _decision(store: Store, version: store_access.Version) -> DecisionNow | None:
    if read_pointer(store) is None:
        return None
    try:
        return access.decision(version, store, RowsFolder.SOURCES)
    except StreetReplayError:
        return None  # the page Retraining says why


def _draw_notices(found: list[Notice]) -> None:
    if not found:
        st.success("Nothing.", icon=":material/check:")
        return
    for number, notice in enumerate(found, 1):
        # as text: a notice may name what a log holds
        st.text(f"{number}. {notice.what}")
        if notice.page is not None:
            st.page_link(
                f"app_pages/{notice.page}.py",
                label=notice.name,
                icon=":material/arrow_forward:",
                query_params=notice.parameters,
            )
        if notice.command is not None:
            st.code(notice.command, language=None)


def _draw_store(version: store_access.Version, overview: Overview, run: ReplayRun | None) -> None:
    st.header("What the store holds", divider="gray")
    _draw_totals(overview)
    totals = overview.totals
    if totals.first_time is not None and totals.last_time is not None:
        over_time = store_access.challenges_over_time(version, totals.first_time, totals.last_time)
        draw_over_time(over_time, totals.without_time)
    if run is not None:
        st.header("What can be rebuilt", divider="gray")
        draw_coverage(store_access.fidelity_counts(version, run.run_id))
    st.header("The last audit", divider="gray")
    audit = kept_audit(version.store)
    draw_audit(audit, current=_is_current(version, audit))
    draw_challenge_counts(overview)


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
        notes.append(
            f"{totals.without_time:,} of {totals.challenges:,} challenges carry no time, "
            "which only W&B's own logs hold."
        )
    if totals.not_finite:
        notes.append(f"{totals.not_finite:,} responses are NaN or infinite.")
    return notes


draw_page()
