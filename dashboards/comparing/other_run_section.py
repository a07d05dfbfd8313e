"""Section: a replay against another one, on exactly the challenges that both predicted."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.lives.text import lives_line
from analytics.queries.replay_runs import ReplayRun
from dashboards.parts.comparison_access import draw_until_compared
from dashboards.parts.linked_choice import linked_choice
from dashboards.parts.run_choice import run_label
from dashboards.parts.store_access import Version
from dashboards.parts.table import draw_table
from data.text import printable
from replay.comparing.results import Difference
from replay.comparing.with_another_run import RunComparison

_NONE = "none"
_NAMES = {"mcc": "MCC", "accuracy": "Accuracy", "auc": "AUC"}


def draw_other_run(version: Version, run: ReplayRun, runs: Sequence[ReplayRun]) -> None:
    """Draw the choice of the other run, and the comparison with it."""
    others = {other.run_id: other for other in runs if other.run_id != run.run_id}
    if not others:
        st.caption("This store holds one replay: another one is needed to compare them.")
        return
    labels = {_NONE: _NONE} | {name: run_label(other) for name, other in others.items()}
    chosen = linked_choice("Against", labels, "against")
    if chosen == _NONE:
        return
    kept = draw_until_compared(version, run.run_id, chosen)
    if kept is not None and kept.against is not None:
        _draw(kept.against)


def _draw(against: RunComparison) -> None:
    st.markdown(_sentence(against))
    st.text(printable(f"{against.run.model} against {against.other.model}"))
    draw_table(
        pd.DataFrame([_row(against, name) for name in _NAMES]),
        "against.csv",
        {
            **dict.fromkeys(("This run", "Other"), st.column_config.NumberColumn(format="%.2f")),
            **dict.fromkeys(
                ("Difference", "95% from", "95% to"),
                st.column_config.NumberColumn(format="%+.2f"),
            ),
        },
    )
    if against.roadwork in (0, against.n):
        st.caption("All of these have one label: MCC and AUC are 0 by definition.")
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in against.left_out.items())
    st.text(printable(f"Left out: {reasons or 'none'}. On {lives_line(against.lives)}."))
    if against.training_rows is None:
        st.caption("Not checked whether either was trained on these: neither keeps training rows.")


def _sentence(against: RunComparison) -> str:
    difference = against.differences["mcc"]
    return (
        f"This run's MCC is **{_by(difference)}** the other's on {against.n:,} challenges that "
        f"both predicted ({against.roadwork:,} roadwork, {against.images:,} source images)."
    )


def _by(difference: Difference) -> str:
    side = "above" if difference.value > 0 else "below"
    size = f"{abs(difference.value):.3f} {side}"
    if difference.interval is None:
        return f"{size} (too few source images for an interval)"
    low, high = difference.interval
    sure = "" if low > 0 or high < 0 else "; it may be chance"
    return f"{size} (95% {low:+.2f} to {high:+.2f}{sure})"


def _row(against: RunComparison, name: str) -> dict[str, object]:
    difference = against.differences[name]
    low, high = difference.interval or (None, None)
    return {
        "Statistic": _NAMES[name],
        "This run": getattr(against.run, name),
        "Other": getattr(against.other, name),
        "Difference": difference.value,
        "95% from": low,
        "95% to": high,
    }
