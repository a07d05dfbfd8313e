"""Section: what the last audit of the log found."""

import streamlit as st

from analytics.audit.kept_audit import KeptAudit


def draw_audit(audit: KeptAudit | None, *, current: bool) -> None:
    """Draw it, and how to audit (again)."""
    if audit is None:
        st.markdown("This log was **never audited**: every logged number is taken as it is.")
    else:
        st.markdown(_sentence(audit))
        when = f"Audited {audit.made:%Y-%m-%d %H:%M} UTC"
        taken = f"{when}, with the operator's weight of the newest reward {audit.alpha:g}"
        taken += ", the log taken as complete" if audit.from_start else ""
        st.caption(f"{taken}." if current else f"**Out of date**: {taken}; the log has changed.")
    if audit is None or not current or audit.wrong:
        st.code("streetreplay audit", language=None)


def _sentence(audit: KeptAudit) -> str:
    wrong = f"**{audit.wrong:,} are wrong**" if audit.wrong else "**none is wrong**"
    holes = (
        f" {audit.holes:,} holes lack at least {audit.missing:,} challenges."
        if audit.holes
        else " No hole was found."
    )
    restarts = f" The validator began anew {audit.restarts:,} times." if audit.restarts else ""
    return (
        f"Of {audit.checked:,} logged metrics, rewards and scores recomputed from the answers, "
        f"{wrong}; {audit.unchecked:,} could not be checked ({audit.challenges:,} challenges, "
        f"validators: {audit.validators}).{holes}{restarts}"
    )
