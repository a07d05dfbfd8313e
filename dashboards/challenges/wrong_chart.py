"""A chart of how many of the miners were wrong on challenges, by the candidate's outcome."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from analytics.listing.list_summary import WrongShares
from analytics.queries.challenge_answers import AnswerOutcome

_ANSWERED = "challenges"
_COLOURS = {
    "candidate right": "#0072B2",
    "candidate wrong": "#D55E00",
    "no answer": "#9aa3ab",
    _ANSWERED: "#0072B2",
}
_NAMES = {
    AnswerOutcome.RIGHT: "candidate right",
    AnswerOutcome.WRONG: "candidate wrong",
}
_HEIGHT = 260


def wrong_shares_chart(shares: Sequence[WrongShares], *, with_candidate: bool) -> alt.Chart:
    """Bars of challenges by the share of miners' answers that are wrong, to the nearest tenth.

    Args:
        shares: of the challenges; those that nobody answered are not drawn.
        with_candidate: whether bars are divided by the candidate's outcome.
    """
    rows = [
        {
            "wrong": round(100 * one.share),
            "outcome": _NAMES.get(one.candidate, "no answer") if with_candidate else _ANSWERED,
            "challenges": one.challenges,
        }
        for one in shares
        if one.share is not None
    ]
    names = [name for name in _COLOURS if any(row["outcome"] == name for row in rows)]
    chart: alt.Chart = alt.Chart(pd.DataFrame(rows)).mark_bar()
    return chart.encode(
        x=alt.X(
            "wrong:O",
            title="Miners wrong, % (to the nearest ten)",
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y("sum(challenges):Q", title="Challenges"),
        color=alt.Color(
            "outcome:N",
            scale=alt.Scale(domain=names, range=[_COLOURS[name] for name in names]),
            legend=alt.Legend(title=None, orient="top", columns=2) if with_candidate else None,
        ),
        tooltip=[
            alt.Tooltip("wrong:O", title="miners wrong, %"),
            alt.Tooltip("outcome:N", title="candidate"),
            alt.Tooltip("sum(challenges):Q", title="challenges", format=","),
        ],
    ).properties(height=_HEIGHT)
