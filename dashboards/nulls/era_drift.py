"""Section: how NULL rates drift from one era to the next, and from the log to the source rows."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.leaks.null_kinds import NullKinds
from analytics.leaks.null_rates import LABEL_ITSELF, SOURCES, NullRate
from dashboards.nulls.null_charts import eras_heatmap
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.percent import in_percent

_SURE = 0.05
_NAMED = 5


def draw_era_drift(
    rates: Sequence[NullRate], kinds: Sequence[NullKinds], source: str | None
) -> None:
    """Draw the drift in a sentence, a picture of eras, and a table.

    Args:
        rates: of all eras and sources, with their drift.
        kinds: likewise, by label too.
        source: of the challenges that are shown; None: all. Source rows are held against real ones.
    """
    st.subheader("Drift between eras")
    own = [
        rate for rate in rates if rate.source == source or (rate.rows_of == SOURCES and not source)
    ]
    st.markdown(_answer(own))
    eras = list(dict.fromkeys(rate.era for rate in own if rate.era is not None))
    if len(eras) > 1:
        of_eras = [
            one
            for one in kinds
            if one.era is not None and one.source == source and one.label is None
        ]
        draw_chart(eras_heatmap(of_eras, eras), "NULL rate of every field by era.")
    frame = pd.DataFrame([_row(rate) for rate in own])
    number = st.column_config.NumberColumn
    shares = ["Rate", "95% from", "95% to"]
    drift = ("Drift", "Drift, 95% from", "Drift, 95% to", "p (Holm)")
    st.dataframe(
        in_percent(frame, shares),
        hide_index=True,
        placeholder="–",
        column_config={
            **dict.fromkeys(shares, number(format="%.1f%%")),
            **dict.fromkeys(drift, number(format="%.3f")),
        },
    )
    st.download_button(
        "Download as CSV", frame.to_csv(index=False), "null_drift.csv", "text/csv", key="drift"
    )


def _answer(rates: Sequence[NullRate]) -> str:
    drifts = [rate for rate in rates if rate.drift is not None]
    if not drifts:
        return "One era alone, and no source rows to hold it against: nothing can have drifted."
    sure = sorted(
        (rate for rate in drifts if rate.drift and rate.drift.p_adjusted < _SURE),
        key=lambda rate: -abs(rate.drift.difference if rate.drift else 0.0),
    )
    named = "; ".join(_in_words(rate) for rate in sure[:_NAMED])
    more = f"; and {len(sure) - _NAMED} more in the table" if len(sure) > _NAMED else ""
    return (
        f"**{len(sure)}** of {len(drifts)} NULL rates differ by more than chance from what came "
        f"before (Fisher's exact test over source images, Holm over all tests of the store)"
        f"{': ' if named else ''}{named}{more}. `{LABEL_ITSELF}` drifts with the share of label 0."
    )


def _in_words(rate: NullRate) -> str:
    drift = rate.drift
    if drift is None:
        return ""
    low, high = drift.interval
    what = "source rows" if rate.rows_of == SOURCES else rate.era
    return (
        f"`{rate.field}` {drift.difference:+.2f} ({low:+.2f} to {high:+.2f}) from {drift.against} "
        f"to {what}"
    )


def _row(rate: NullRate) -> dict[str, object]:
    drift, (low, high) = rate.drift, rate.interval
    from_, to = (None, None) if drift is None else drift.interval
    return {
        "Field": rate.field,
        "Of": "source rows" if rate.rows_of == SOURCES else f"images of {rate.era}",
        "n": rate.n,
        "Left out": rate.unreadable,
        "NULL": rate.nulls,
        "Rate": rate.rate,
        "95% from": low if rate.n else None,
        "95% to": high if rate.n else None,
        "Against": drift and drift.against,
        "Drift": drift and drift.difference,
        "Drift, 95% from": from_,
        "Drift, 95% to": to,
        "p (Holm)": drift and drift.p_adjusted,
    }
