"""The chart of a candidate's ranks among miners, with their intervals."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from analytics.comparison.rank import Rank

_NAMES = {"mcc": "MCC", "reward": "mean reward", "mean_ema": "mean EMA"}
_CANDIDATE = "#0072B2"
_ROW, _AROUND = 36, 70


def rank_rows(ranks: Mapping[str, Rank]) -> pd.DataFrame:
    """A row a statistic."""
    return pd.DataFrame(
        {
            "By": _NAMES[name],
            "Rank": rank.rank,
            "Best": rank.best,
            "Worst": rank.worst,
            "Of": rank.of,
            "Miners left out": rank.left_out,
        }
        for name, rank in ranks.items()
    )


def ranks_chart(ranks: Mapping[str, Rank]) -> alt.LayerChart | alt.FacetChart:
    """A row a statistic: the rank as a point, its interval as a line; the best rank is left."""
    frame = rank_rows(ranks)
    last = max(2, int(frame["Of"].max()))
    base = alt.Chart(frame).encode(
        y=alt.Y("By:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
        tooltip=[alt.Tooltip(f"{name}:N") for name in frame],
    )
    ranks_axis = alt.X(
        "Best:Q",
        title=f"Rank, 1 = best, of at most {last}",
        scale=alt.Scale(domain=[1, last], nice=False),
        axis=alt.Axis(tickMinStep=1, format="d"),
    )
    interval = base.mark_rule(color=_CANDIDATE, strokeWidth=3).encode(x=ranks_axis, x2="Worst:Q")
    point = base.mark_point(
        filled=True, size=120, opacity=1, shape="diamond", color=_CANDIDATE
    ).encode(x="Rank:Q")
    return alt.layer(interval, point).properties(height=_ROW * len(frame) + _AROUND)
