"""Section: another replay's views beside these."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.queries.replay_runs import ReplayRun
from dashboards.gates import access
from dashboards.gates.answer import leaves_zero_out
from dashboards.gates.difference_chart import difference_chart
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.linked_choice import linked_choice
from dashboards.parts.run_choice import run_label
from dashboards.parts.table import draw_table

_NONE = "none"


def choose_other(runs: Sequence[ReplayRun], run_id: str) -> str | None:
    """Another replay to set beside the first; None where none is chosen."""
    others = {run.run_id: run_label(run) for run in runs if run.run_id != run_id}
    chosen = linked_choice("Beside it", {_NONE: "no other run", **others}, "other")
    return None if chosen == _NONE else chosen


def draw_other_run(chosen: access.Chosen, other: str, names: Sequence[str]) -> None:
    """Draw the differences of every view, with intervals, and the table.

    Args:
        chosen: the first replay, and what of it.
        other: another one.
        names: of the views, in their order.
    """
    st.subheader("Two runs")
    found = access.beside(chosen, other)
    sure = sum(one.interval is not None and leaves_zero_out(one.interval) for one in found.views)
    largest = max(found.views, key=lambda one: abs(one.difference))
    st.markdown(
        f"On the {found.challenges:,} challenges of {found.images:,} source images that both "
        f"answered, **{sure} of {len(found.views)}** views differ by more than chance, most "
        f"{names[largest.view - 1]}: {largest.difference:+.3f} in the other run. What either "
        "candidate was trained on, as far as it is known, is left out."
    )
    measure = chosen.measure
    draw_chart(
        difference_chart(
            found.views, names, f"← larger {measure} in the first run · in the other →"
        ),
        f"Difference of each view's {measure} between the two runs.",
    )
    ends = (f"{found.level:.0%} from", f"{found.level:.0%} to")
    frame = pd.DataFrame(
        [
            {
                "View": name,
                "First run": one.first,
                "Other run": one.other,
                "Difference": one.difference,
                ends[0]: one.interval and one.interval[0],
                ends[1]: one.interval and one.interval[1],
            }
            for name, one in zip(names, found.views, strict=True)
        ]
    )
    number = st.column_config.NumberColumn
    draw_table(
        frame,
        "gates_of_two_runs.csv",
        {
            **dict.fromkeys(("First run", "Other run"), number(format="%.3f")),
            **dict.fromkeys(("Difference", *ends), number(format="%+.3f")),
        },
    )
