"""Section: the difference of every view between right and wrong answers."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.gates.mean_gates import GateMeans
from dashboards.gates.difference_chart import difference_chart
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.table import draw_table


def draw_differences(gates: GateMeans, names: Sequence[str]) -> None:
    """Draw it, and the table of all means.

    Args:
        gates: of a replay.
        names: of the views, in their order.
    """
    st.subheader("Right minus wrong")
    draw_chart(
        difference_chart(
            gates.views, names, f"← larger {gates.measure} where wrong · where right →"
        ),
        f"Difference of each view's {gates.measure} between right and wrong answers.",
    )
    number = st.column_config.NumberColumn
    measure = gates.measure.capitalize()
    means = dict.fromkeys(
        (measure, f"{measure}, right", f"{measure}, wrong"), number(format="%.3f")
    )
    ends = (f"{gates.level:.0%} from", f"{gates.level:.0%} to")
    rows = []
    for name, view in zip(names, gates.views, strict=True):
        low, high = view.interval or (None, None)
        rows.append(
            {
                "View": name,
                measure: view.mean,
                f"{measure}, right": view.right,
                f"{measure}, wrong": view.wrong,
                "Difference": view.difference,
                ends[0]: low,
                ends[1]: high,
                "Pruned, right": view.right_dropped,
                "Pruned, wrong": view.wrong_dropped,
            }
        )
    draw_table(
        pd.DataFrame(rows),
        "gates.csv",
        {**means, **dict.fromkeys(("Difference", *ends), number(format="%+.3f"))},
        shares=("Pruned, right", "Pruned, wrong"),
    )
