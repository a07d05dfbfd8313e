"""Section: what moved, each cluster's share of an era beside that of the era before."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.queries.cluster_shares import EraShare
from dashboards.maps.measures import place_name
from dashboards.parts.percent import in_percent

_SURE = 0.05


def draw_cluster_moves(shares: Sequence[EraShare]) -> None:
    """Draw the changes of the newest era in a sentence, those of all eras in a table.

    Args:
        shares: by cluster, eras in their order, as `era_shares` gives them.
    """
    st.subheader("What moved since the era before")
    moved = [share for share in shares if share.change is not None]
    if not moved:
        st.write("Challenges with GPS are of one era, so nothing can have moved.")
        return
    newest = shares[-1].era
    sure = [
        share
        for share in moved
        if share.era == newest and share.change and share.change.p_adjusted < _SURE
    ]
    words = ", ".join(
        f"**{place_name(share.cluster)}** {share.change.difference:+.0%}"
        for share in sorted(sure, key=lambda share: -abs(_difference(share)))
        if share.change
    )
    against = next(share.change.against for share in reversed(moved) if share.change)
    st.markdown(
        f"From {against} to {newest}, shares of source images changed by more than chance in "
        f"{len(sure)} clusters{': ' + words if words else ''} (Fisher's exact test, Holm over all "
        f"{len(moved)} changes; n = {shares[-1].n:,} images in {newest})."
    )
    frame = pd.DataFrame([_move(share) for share in shares])
    st.dataframe(
        in_percent(frame, ["Share"]),
        hide_index=True,
        placeholder="–",
        column_config={
            "Share": st.column_config.NumberColumn(format="%.1f%%"),
            "Change": st.column_config.NumberColumn(format="%+.3f"),
            **dict.fromkeys(
                ("95% from", "95% to", "p (Holm)"), st.column_config.NumberColumn(format="%.3f")
            ),
        },
    )
    st.download_button(
        "Download as CSV", frame.to_csv(index=False), "cluster_eras.csv", "text/csv", key="eras"
    )


def _difference(share: EraShare) -> float:
    return share.change.difference if share.change else 0.0


def _move(share: EraShare) -> dict[str, object]:
    change = share.change
    low, high = (None, None) if change is None else change.interval
    return {
        "Cluster": place_name(share.cluster),
        "Era": share.era,
        "Images": share.images,
        "Of": share.n,
        "Share": share.share,
        "Against": change and change.against,
        "Change": change and change.difference,
        "95% from": low,
        "95% to": high,
        "p (Holm)": change and change.p_adjusted,
    }
