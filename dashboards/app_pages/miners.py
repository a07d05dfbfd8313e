"""The Miners page: every miner on common ground, how able, who is whose clone."""

from collections.abc import Mapping
from statistics import median

import pandas as pd
import streamlit as st

from analytics.comparison.intervals import Interval
from analytics.lives.order import Life
from analytics.miners.answers import Miner
from analytics.standings.leaderboard import Standing
from analytics.standings.together import MinersTogether
from dashboards.comparing.verdict import draw_verdict
from dashboards.miners import access
from dashboards.miners.ability_chart import ability_chart
from dashboards.miners.answer import least_answers
from dashboards.miners.beside_candidate_section import draw_beside_candidate
from dashboards.miners.choice import choose_life
from dashboards.miners.clones_section import draw_clones
from dashboards.miners.leaderboard_rows import LeaderboardFilter, leaderboard_frame
from dashboards.parts import store_access
from dashboards.parts.comparison_access import draw_until_compared
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.miners_report import draw_until_together, report_basis
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.run_choice import choose_run
from dashboards.parts.table import draw_table
from data.store import Store

_NO_RUN = "No candidate has been replayed yet, so none stands beside the miners. In a terminal:"
_NO_ANSWER = "This store holds no answer of a miner. In a terminal:"

_READING = """\
- A **miner** is a uid and a hotkey; one whose uid has another hotkey by now stays in the table.
  A row's first column opens its page.
- **MCC** is signed (1 = all right, 0 = guessing), over all finite answers by the validator's
  rounding (half to even). Its 95% interval is clustered by source image; fewer than 10 give none.
  **Left out** are its silent (-1) and non-finite answers.
- **Rank** is by MCC among all miners with at least the chosen number of answers, whichever are
  shown. **95% ranks** go from 1 + those surely ahead to 1 + those not surely behind, for each miner
  by itself; miners were asked different challenges, and MCC does not allow for how hard they were.
- **Ability** does: it is by an item-response model of who was right where, in logits above the mean
  miner, with its standard error, clustered by image, over all validators' logs. It says nothing of
  silence, which is why the chart shows both: the best place is at the upper right.
- **EMA** is the validator's score of the uid after the last challenge that this miner was asked; of
  several validators the mean, weighted by what each asked.
- **Clones** share answers beyond what chance and equal skill give. Counting each as a miner of its
  own makes a field look stronger than it is.
- **Beside the candidate**: each miner on exactly the challenges that both answered, so that every
  row has numbers of its own. McNemar's test counts repeats of an image each; the intervals, over
  source images, are the safer guide. Holm's correction is over all miners, shown or not."""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head("Miners", "Every miner: how right, how able, how silent, whose clone.")
    if store is None:
        return
    with store_access.errors_in_one_line():
        _draw_miners(store)
    with st.expander("How to read this"):
        st.markdown(_READING)


def _draw_miners(store: Store) -> None:
    version = store_access.warehouse_version(store)
    if not access.standings(version, None):
        st.info(_NO_ANSWER, icon=":material/info:")
        st.code("streetreplay ingest LOG", language=None)
        return
    answer = st.container()
    life = choose_life(access.lives(version))
    standings = access.standings(version, None if life is None else life.number)
    chosen = _choose_filter(standings)
    together = draw_until_together(version)
    intervals = _intervals(version, life, together)
    frame = leaderboard_frame(standings, chosen, intervals, together)
    with answer:
        st.markdown(_sentence(standings, chosen))
    if frame.empty:
        st.info("No miner matches these filters.")
        return
    _draw_leaderboard(frame, len(standings), together)
    st.header("Clones and suspects", divider="gray")
    if together is None:
        st.write("Not known yet: see above.")
    else:
        draw_clones(together)
    st.header("Beside the candidate", divider="gray")
    run = choose_run(
        store_access.replay_runs(version), _NO_RUN, "streetreplay replay --model orange"
    )
    if run is None:
        return
    kept = draw_until_compared(version, run.run_id)
    if kept is not None:
        draw_verdict(kept.comparison)
        shown = {one.miner for one in standings if chosen.holds(one)}
        draw_beside_candidate(kept.comparison, shown)


def _choose_filter(standings: list[Standing]) -> LeaderboardFilter:
    left, middle, right = st.columns([2, 3, 3], vertical_alignment="bottom")
    with left:
        least = st.number_input(
            "Fewest answers", 1, None, least_answers(standings), key="least", bind="query-params"
        )
    with middle:
        text = st.text_input(
            "Part of a hotkey, or a uid", key="find", bind="query-params", max_chars=100
        )
    with right:
        present = st.checkbox("Only hotkeys that hold their uid", key="now", bind="query-params")
    return LeaderboardFilter(int(least), text, present)


def _intervals(
    version: store_access.Version, life: Life | None, together: MinersTogether | None
) -> Mapping[Miner, Interval | None]:
    """Of MCCs; none where they are not known yet, or of older logs than the MCCs are."""
    if life is not None:
        return access.intervals_of_life(version, life.number) or {}
    if together is None or together.basis != report_basis(version):
        return {}
    return {one.miner: one.interval for one in together.mccs}


def _sentence(standings: list[Standing], chosen: LeaderboardFilter) -> str:
    ranked = [one for one in standings if one.n >= chosen.least and one.mcc is not None]
    asked = sum(one.asked for one in standings)
    left_out = sum(one.left_out for one in standings)
    whole = (
        f"**{len(ranked):,}** of {len(standings):,} miners have at least {chosen.least:,} answers; "
        f"{left_out:,} of {asked:,} answers are silent or not finite and left out."
    )
    if not ranked:
        return whole
    mccs = sorted((one.mcc for one in ranked if one.mcc is not None), reverse=True)
    best = next(one for one in ranked if one.mcc == mccs[0])
    silent = median(1 - one.answer_rate for one in ranked)
    return (
        f"{whole} The best is **uid {best.miner.uid}** with an MCC of **{mccs[0]:.2f}** on "
        f"{best.n:,} answers, the median miner has **{median(mccs):.2f}** and is silent in "
        f"{silent:.1%}, the last has {mccs[-1]:.2f}."
    )


def _draw_leaderboard(frame: pd.DataFrame, total: int, together: MinersTogether | None) -> None:
    able = frame["Ability"].notna().any()
    measure = "Ability" if able else "MCC"
    st.caption(f"{len(frame):,} of {total:,} miners shown.")
    if together is not None and together.no_abilities is not None:
        st.text(f"No abilities: {together.no_abilities}")
    draw_chart(
        ability_chart(frame, measure),
        f"{measure} of every miner shown, by the share of challenges that it answered.",
    )
    number = st.column_config.NumberColumn
    draw_table(
        frame,
        "miners.csv",
        {
            "Page": st.column_config.LinkColumn(
                display_text=":material/open_in_new:", width=50, help="The miner's page"
            ),
            "Rank": number(width=60),
            "Uid": number(width=60),
            **dict.fromkeys(("MCC", "95% from", "95% to"), number(format="%.2f")),
            **dict.fromkeys(("Mean reward", "EMA"), number(format="%.3f")),
            **dict.fromkeys(("Ability", "Error"), number(format="%.2f")),
        },
        shares=["Answer rate"],
        all_rows=False,
    )


draw_page()
