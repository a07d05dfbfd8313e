"""A table with its download."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboards.parts.percent import in_percent


def draw_table(
    frame: pd.DataFrame,
    file: str,
    columns: Mapping[str, Any],
    *,
    shares: Sequence[str] = (),
    all_rows: bool = True,
) -> None:
    """Draw a table and, under it, its download as CSV.

    Args:
        frame: what it holds; a missing value is drawn as a dash.
        file: the name of the download.
        columns: how columns are drawn, as `st.dataframe` takes it.
        shares: columns of shares, 0..1, which are drawn as percent and downloaded as they are.
        all_rows: as high as its rows; False for a table of very many, which scrolls.
    """
    percent = dict.fromkeys(shares, st.column_config.NumberColumn(format="%.1f%%"))
    st.dataframe(
        in_percent(frame, shares),
        hide_index=True,
        placeholder="–",
        height="content" if all_rows else "auto",
        column_config={**percent, **columns},
    )
    st.download_button(
        "Download as CSV", frame.to_csv(index=False), file, "text/csv", key=file, on_click="ignore"
    )
