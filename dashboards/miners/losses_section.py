"""Section: where and on which challenges a miner lost, and how others and the candidate did."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import pandas as pd
import streamlit as st

from analytics.miners.answers import Miner
from analytics.standings.lost_challenges import (
    Kind,
    LossFilter,
    LostChallenge,
    Order,
    SliceLosses,
)
from dashboards.miners import access
from dashboards.miners.choice import challenge_link
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.linked_choice import linked_choice
from dashboards.parts.store_access import Version
from dashboards.parts.table import draw_table
from data.text import printable

_PAGE = 50
_KINDS = {"both": "wrong or silent", "wrong": "wrong", "silent": "silent"}
_ORDERS = {"newest": "newest first", "alone": "where fewest others were wrong first"}
_LABELS = {0: "0 · no roadwork", 1: "1 · roadwork"}
_OWN, _OTHERS = "#D55E00", "#0072B2"


def draw_slices(slices: Sequence[SliceLosses]) -> None:
    """Draw where the miner is wrong more often than others, in a sentence, a chart, a table."""
    answered = [one for one in slices if one.answered]
    if not answered:
        st.write("It answered nothing, so it was wrong nowhere.")
        return
    st.markdown(_sentence(slices))
    frame = pd.DataFrame([_slice_row(one) for one in answered])
    draw_chart(_chart(frame), "Share of wrong answers by slice, of this miner and of others.")
    shares = ["Wrong share", "95% from", "95% to", "Others' wrong share"]
    draw_table(frame.drop(columns="Slice"), "losses_by_slice.csv", {}, shares=shares)


def draw_lost(version: Version, miner: Miner, run_id: str | None, life: int | None) -> None:
    """Draw the list of lost challenges, a page of it.

    Args:
        version: of the store.
        miner: whose.
        run_id: the replay whose candidate's answers are shown beside; None for none.
        life: of one validator; None: of all.
    """
    left, middle, right = st.columns([3, 4, 2])
    with left:
        kind = linked_choice("Lost", _KINDS, "lost")
    with middle:
        order = linked_choice("Order", _ORDERS, "order")
    chosen = LossFilter(Kind(kind), Order(order), life)
    with right:
        page = int(st.number_input("Page", 1, None, 1, key="lost_page", bind="query-params"))
    found = access.lost(version, miner, run_id, chosen, (_PAGE, _PAGE * (page - 1)))
    if not found.challenges:
        st.info("It lost no such challenge." if page == 1 else f"There is no page {page}: go back.")
        return
    first = _PAGE * (page - 1) + 1
    pages = -(-found.lost // _PAGE)
    st.markdown(
        f"Challenges **{first:,} to {first + len(found.challenges) - 1:,}** of {found.lost:,} "
        f"lost; page {page:,} of {pages:,}."
    )
    st.dataframe(
        pd.DataFrame([_lost_row(one) for one in found.challenges]),
        hide_index=True,
        placeholder="–",
        column_config={
            "Open": st.column_config.LinkColumn(
                display_text=":material/open_in_new:", width=50, help="Its page"
            ),
            "Its answer": st.column_config.NumberColumn(format="%.3f"),
            "Reward": st.column_config.NumberColumn(format="%.3f"),
            "Candidate": st.column_config.NumberColumn(
                format="%.3f", help="Its probability of roadwork, a mean over possible images."
            ),
            "Others wrong": st.column_config.TextColumn(help="Of other miners that answered it."),
        },
    )
    st.download_button(
        "All of these as CSV",
        partial(access.lost_file, version, miner, run_id, chosen),
        "lost_challenges.csv",
        "text/csv",
        on_click="ignore",
        key="lost_csv",
    )


def _sentence(slices: Sequence[SliceLosses]) -> str:
    """The slice where it loses most against others, among those where that is no chance."""
    worse = [
        one for one in slices if one.others_wrong is not None and one.interval[0] > one.others_wrong
    ]
    wrong = sum(one.wrong for one in slices if one.field == "label")
    answered = sum(one.answered for one in slices if one.field == "label")
    silent = sum(one.silent for one in slices if one.field == "label")
    whole = f"Wrong in **{wrong:,}** of {answered:,} answers, silent in {silent:,} more."
    if not worse:
        return (
            f"{whole} In no slice is it wrong more often than others by more than chance (each "
            "slice's own 95% interval)."
        )
    worst = max(worse, key=lambda one: (one.wrong_share or 0) - (one.others_wrong or 0))
    name = _LABEL_NAMES.get(worst.value) or _slice_name(worst)
    return (
        f"{whole} Against others on the same challenges it is worst at **{name}**: wrong in "
        f"{worst.wrong_share:.0%} (95% {worst.interval[0]:.0%} to {worst.interval[1]:.0%}) of "
        f"{worst.answered:,} answers, others in {worst.others_wrong:.0%}."
    )


_LABEL_NAMES = {
    "0 · no roadwork": "challenges without roadwork",
    "1 · roadwork": "challenges with roadwork",
}


def _slice_name(one: SliceLosses) -> str:
    # a level's value says itself what it is
    value = f"`{_word(one.value)}`"
    return value if one.field == "level" else f"{one.field} {value}"


def _word(text: str) -> str:
    """A value of a log inside of Markdown's code: letters, digits, blanks and a few signs alone."""
    kept = "".join(c if c.isalnum() or c in " -_." else "?" for c in text[:40])
    return kept or "?"


def _slice_row(one: SliceLosses) -> dict[str, object]:
    low, high = one.interval
    value = printable(one.value, 40)
    return {
        "Slice": value if one.field == "level" else f"{one.field} {value}",
        "Field": one.field,
        "Value": value,
        "Wrong share": one.wrong_share,
        "95% from": low,
        "95% to": high,
        "Others' wrong share": one.others_wrong,
        "n": one.answered,
        "Wrong": one.wrong,
        "Left out (silent)": one.silent,
    }


def _chart(frame: pd.DataFrame) -> "alt.LayerChart | alt.FacetChart":
    plain = frame.rename(columns={"Others' wrong share": "others", "95% from": "low"}).rename(
        columns={"95% to": "high", "Wrong share": "own"}
    )
    axis = alt.Axis(
        labelLimit=150, labelOverlap=False, title=None, ticks=False, grid=True, domain=False
    )
    base = alt.Chart(plain).encode(
        alt.Y("Slice:N", sort=None, axis=axis),
        tooltip=[
            alt.Tooltip("Slice:N"),
            *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("own", "low", "high", "others")),
            alt.Tooltip("n:Q"),
        ],
    )
    across = alt.X("low:Q", title="share of answers that are wrong", axis=alt.Axis(format="%"))
    intervals = base.mark_rule(color=_OWN, strokeWidth=2).encode(across, x2="high:Q")
    dots = (
        base.transform_fold(["own", "others"], as_=["whose", "share"])
        .transform_calculate(whose="datum.whose == 'own' ? 'this miner' : 'other miners'")
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            alt.X("share:Q"),
            alt.Color(
                "whose:N",
                title=None,
                scale=alt.Scale(domain=["this miner", "other miners"], range=[_OWN, _OTHERS]),
                legend=alt.Legend(orient="bottom"),
            ),
            alt.Shape(
                "whose:N",
                scale=alt.Scale(domain=["this miner", "other miners"], range=["circle", "diamond"]),
                legend=None,
            ),
        )
    )
    layered: alt.LayerChart | alt.FacetChart = alt.layer(intervals, dots)
    return layered.properties(height=100 + 28 * len(frame))


def _lost_row(one: LostChallenge) -> dict[str, object]:
    return {
        "Open": challenge_link(one.challenge_id),
        "When": (
            f"challenge {one.ordinal + 1:,}" if one.time is None else f"{one.time:%Y-%m-%d %H:%M}"
        ),
        "Scored label": _LABELS.get(one.label, str(one.label)),
        "Its answer": None if one.is_silent else one.prediction,
        "Why lost": "silent" if one.is_silent else "wrong",
        "Others wrong": f"{one.others_wrong} of {one.others}",
        "Candidate": one.candidate,
        "Candidate is": _candidate(one),
        "Level": "–" if one.level is None else str(one.level),
        "Source": printable(one.source or "not logged", 20),
        "City": printable(one.city or "", 30),
        "Era": one.era,
        "Reward": one.reward,
        "Challenge": one.challenge_id,
    }


def _candidate(one: LostChallenge) -> str:
    if one.candidate_right is None:
        return printable(one.no_candidate or "not asked", 40)
    return "✓ right" if one.candidate_right else "✗ wrong"
