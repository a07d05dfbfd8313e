"""What a policy makes of the source rows, at once: effective sample size, regions, factors."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.store_access import errors_in_one_line, warehouse_version
from dashboards.retraining import access
from dashboards.retraining.policy_sliders import choose_policy
from data.errors import RunError
from data.settings_file import settings_toml
from data.store import Store
from data.text import printable
from model.retraining.background import RowsFolder
from model.weighting.evidence import Evidence
from model.weighting.factor_summary import factor_summaries
from model.weighting.policy import WeightPolicy
from model.weighting.region_shares import RegionShare, region_shares
from model.weighting.sample_weights import WeightedRows

# Okabe and Ito's palette; the shapes tell them apart without it
_KINDS = {"of the rows": "#8a8a8a", "of the log": "#D55E00", "of the weight": "#0072B2"}
_ROW_HEIGHT, _FRAME_HEIGHT, _IN_CHART = 26, 130, 20


def draw_weights(store: Store, rows: RowsFolder, run_id: str) -> WeightPolicy:
    """Draw the sliders and what they make of the rows.

    Returns:
        The policy that they say.

    Raises:
        RunError: values that do not go together.
    """
    st.header("Weights of the source rows", divider="gray")
    shown = st.container()
    policy = choose_policy()
    with shown, errors_in_one_line():
        asked = (warehouse_version(store), store, rows, run_id)
        weighted, bundled = (access.weighted(*asked, one) for one in (policy, WeightPolicy()))
        _draw_size(weighted, bundled, sum(access.listed_rows(store, rows).left_out.values()))
        _draw_regions(access.weights_evidence(*asked), weighted, policy)
        _draw_factors(weighted)
    st.caption("The command takes the policy by its option --policy.")
    text = settings_toml(policy.tables)
    st.download_button("Policy as TOML", text, "policy.toml", "application/toml")
    return policy


def _draw_size(weighted: WeightedRows, bundled: WeightedRows, left_out: int) -> None:
    total = weighted.table.height
    st.markdown(
        f"By this policy **{total:,}** rows count like **{weighted.effective:,.0f}** equal ones "
        f"({weighted.effective / total:.0%}; by the bundled policy "
        f"{bundled.effective / total:.0%}). {left_out:,} rows that no validator would send are "
        f"left out; {weighted.raised:,} products were raised to the lowest, {weighted.lowered:,} "
        "lowered to the highest."
    )


def _draw_regions(evidence: Evidence, weighted: WeightedRows, policy: WeightPolicy) -> None:
    st.subheader("Share of each region")
    try:
        shares = region_shares(evidence, weighted.table["weight"].to_numpy(), policy.gps)
    except RunError as error:
        st.text(printable(str(error)))
        return
    if not shares:
        st.text(printable(evidence.reasons.get("gps", "The log has no cluster with GPS.")))
        return
    st.caption(
        f"Regions reach {policy.gps.near_km:g} km. Shares are of the {shares[0].with_gps:,} of "
        f"{weighted.table.height:,} rows with GPS, and of the logged challenges with GPS."
    )
    draw_chart(
        _regions_chart(shares[:_IN_CHART]), "Share of each region before and after weighing."
    )
    if len(shares) > _IN_CHART:
        st.caption(f"The first {_IN_CHART} of {len(shares)} are drawn; the table has all.")
    frame = pd.DataFrame([_region_row(one) for one in shares])
    percent = st.column_config.NumberColumn(format="percent")
    columns = dict.fromkeys(("Of the log", "Of the rows", "Of the weight"), percent)
    st.dataframe(frame, hide_index=True, placeholder="–", column_config=columns)
    st.download_button("Regions as CSV", frame.to_csv(index=False), "regions.csv", "text/csv")


def _region_row(one: RegionShare) -> dict[str, object]:
    return {
        "Region": printable(one.name, 60),
        "Target": one.is_target,
        "Of the log": one.log_share,
        "Of the rows": one.row_share,
        "Of the weight": one.weight_share,
        "Rows": one.rows,
    }


def _regions_chart(shares: Sequence[RegionShare]) -> alt.Chart:
    frame = pd.DataFrame(
        [
            {"region": printable(one.name, 40), "share": value, "kind": kind}
            for one in shares
            for kind, value in (
                ("of the rows", one.row_share),
                ("of the log", one.log_share),
                ("of the weight", one.weight_share),
            )
            if value is not None
        ]
    )
    kinds = alt.Scale(domain=list(_KINDS), range=list(_KINDS.values()))
    legend = alt.Legend(title=None, orient="top", direction="vertical")
    chart: alt.Chart = (
        alt.Chart(frame, height=_FRAME_HEIGHT + _ROW_HEIGHT * len(shares))
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            x=alt.X("share:Q", axis=alt.Axis(format="%"), title="share"),
            y=alt.Y("region:N", sort=None, title=None, axis=alt.Axis(labelLimit=130)),
            color=alt.Color("kind:N", scale=kinds, legend=legend),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=list(_KINDS)), legend=legend),
            tooltip=["region:N", "kind:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return chart


def _draw_factors(weighted: WeightedRows) -> None:
    st.subheader("Factors")
    frame = pd.DataFrame(
        [
            {
                "Factor": one.name,
                "Least": one.least,
                "Mean": one.mean,
                "Most": one.most,
                "Rows not at 1": one.rows,
                "Why none": None if one.reason is None else printable(one.reason, 300),
            }
            for one in factor_summaries(weighted)
        ]
    )
    number = st.column_config.NumberColumn(format="%.3f")
    columns = dict.fromkeys(("Least", "Mean", "Most"), number)
    st.dataframe(frame, hide_index=True, placeholder="–", column_config=columns)
    st.download_button("Factors as CSV", frame.to_csv(index=False), "factors.csv", "text/csv")
