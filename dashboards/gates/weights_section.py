"""Section: the slices whose gates would raise the weights of a retraining."""

import pandas as pd
import polars as pl
import streamlit as st

from dashboards.gates import access
from dashboards.gates.groups_section import group_name
from dashboards.parts.store_access import Version
from dashboards.parts.table import draw_table
from data.errors import RunError
from data.text import printable
from model.weighting.policy import GatesPolicy
from model.weighting.slice_factors import gate_changes

_MANY = 200_000
_PAGE = "app_pages/retraining.py"


def draw_weights(version: Version, run_id: str, challenges: int) -> None:
    """Draw the slices with their factor by the bundled policy.

    Args:
        version: of the store.
        run_id: of the replay.
        challenges: how many it has; of very many, slices are looked for when that is asked for.
    """
    st.subheader("What a retraining would weigh more")
    if challenges > _MANY and not st.toggle(
        f"Look through the slices of {challenges:,} challenges (some seconds)",
        key="slices",
        bind="query-params",
    ):
        return
    policy = GatesPolicy()
    try:
        slices = gate_changes(access.slice_changes(version, run_id), policy)
    except RunError as error:
        st.text(printable(str(error)))
        return
    ranked = slices.sort(
        "factor", "change", "field", "value", descending=[True, True, False, False]
    )
    # as text: it names a value of a log
    st.text(_answer(ranked, policy))
    frame = pd.DataFrame(
        [
            {
                "Slice": row["field"],
                "Value": group_name(row["value"]),
                "Right": row["right"],
                "Wrong": row["wrong"],
                "Other views": row["change"],
                "Factor": row["factor"],
            }
            for row in ranked.iter_rows(named=True)
        ]
    )
    draw_table(
        frame,
        "gate_slices.csv",
        {"Factor": st.column_config.NumberColumn(format="%.2f")},
        shares=("Other views",),
        all_rows=False,
    )
    st.page_link(
        _PAGE,
        label="Retraining: weigh the source rows, and train a challenger",
        icon=":material/model_training:",
    )


def _answer(ranked: pl.DataFrame, policy: GatesPolicy) -> str:
    raised = ranked.filter(pl.col("factor") > 1.0)
    rule = (
        f"the factor is 1 + {policy.strength:g} × the part of the fusion that surely goes to other "
        f"views in wrong answers, at most {policy.most:g}; slices are the values that challenges "
        "and source rows share, so neither levels nor crops"
    )
    if raised.is_empty():
        return (
            f"In none of {ranked.height} slices do the views' shares change between right and "
            f"wrong answers by more than chance, so gates raise no weight ({rule})."
        )
    first = raised.row(0, named=True)
    return (
        f"In {raised.height} of {ranked.height} slices the views' shares surely change between "
        f"right and wrong answers. Gates raise most the rows of {first['field']} "
        f"{group_name(first['value'])}: × {first['factor']:.2f} ({rule})."
    )
