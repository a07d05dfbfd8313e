"""The My miner page: is it losing, since when, why, and what would a candidate earn instead?"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.queries.replay_runs import ReplayRun
from analytics.standings.history import in_one_life
from analytics.standings.leaderboard import Standing
from dashboards.miners import access
from dashboards.miners.answer import candidate_sentence, compared_miner, draw_answer, draw_numbers
from dashboards.miners.choice import choose_life, choose_miner
from dashboards.miners.history_section import draw_history
from dashboards.miners.in_place_section import draw_in_place
from dashboards.miners.losses_section import draw_lost, draw_slices
from dashboards.miners.suspects_section import draw_suspects
from dashboards.parts import store_access
from dashboards.parts.comparison_access import draw_until_compared
from dashboards.parts.miners_report import draw_until_together
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.run_choice import choose_run
from data.store import Store
from data.text import printable

_NO_RUN = (
    "No candidate has been replayed yet, so nothing can be put in the miner's place. In a terminal:"
)
_NO_ANSWER = "This store holds no answer of a miner. In a terminal:"
_READING = """\
- A **miner** is a uid and a hotkey. The choice is kept in this page's address and, once made here,
  in `settings/my-miner.json` of the store; a link wins over what is kept.
- **EMA** is the validator's own score of the uid, by which it sets weights. Its rank and the median
  are among all uids with a score above 0 at that moment, in one validator's log: the chosen one, or
  of all the one that asked this miner last. A score of 0 has no rank. *Behind since* is
  the first shown point from which on it was below the median without a break.
- **MCC** in the sentence is signed and over all answers (1 = all right, 0 = guessing), by the
  validator's rounding (half to even, so 0.5 is class 0). Its interval is clustered by source image,
  as answers to one image are not independent. In the chart it is the validator's own, over the last
  100 answers and never below 0.
- **Over time**: up to 250 answers, evenly spaced, of each validator's log, which has a window and
  an EMA of its own. Windows begin anew where the uid's hotkey changes (dotted lines). Where no time
  is logged the axis counts the uid's answers.
- **In its place**: the candidate on exactly the challenges that the miner was asked and that it
  predicted, in the same order, by the validator's windows, formula and EMA from empty ones on; so
  the miner's numbers there differ from those above. Intervals (95%) resample source images.
- **Lately** compares its last 100 answers with the 100 before, a silent one counting as not right.
  That interval (Newcombe's) and those of slices (Wilson's) count repeats of an image each.
- **Lost** are challenges that it answered wrongly, or not at all. *Others* are the miners that
  answered the same challenge. Where few others were wrong, the image was not hard: look there
  first. The candidate's answers in that list are as its run gave them, also where it was trained on
  the image; it is right where its probability, a mean over possible images, rounds (half to even)
  to the scored label, as on the page Challenges.
- **Clones** answer equal beyond what chance and equal skill give; that two miners run one model
  says nothing of who copied whom."""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "My miner", "Is it losing, since when, why, and what would a candidate earn in its place?"
    )
    if store is None:
        return
    with store_access.errors_in_one_line():
        _draw_choices(store)
    with st.expander("How to read this"):
        st.markdown(_READING)


def _draw_choices(store: Store) -> None:
    version = store_access.warehouse_version(store)
    everyone = access.standings(version, None)
    if not everyone:
        st.info(_NO_ANSWER, icon=":material/info:")
        st.code("streetreplay ingest LOG", language=None)
        return
    left, right = st.columns(2)
    with left:
        chosen = choose_miner(store, everyone)
    with right:
        life = choose_life(access.lives(version))
    number = None if life is None else life.number
    standings = everyone if life is None else access.standings(version, number)
    present = next((one for one in standings if one.miner == chosen.miner), None)
    st.text(f"uid {chosen.miner.uid}, hotkey {printable(chosen.miner.hotkey, 80)}")
    if present is None:
        st.info("This validator asked the miner nothing.")
        return
    _draw_miner(version, present, standings, number)


def _draw_miner(
    version: store_access.Version, chosen: Standing, standings: list[Standing], life: int | None
) -> None:
    fared = access.fared(version, chosen.miner, life)
    points = in_one_life(fared.points, chosen.miner.hotkey, life)
    lives = access.lives(version)
    if len(lives) > 1 and points:
        name = next(one.name for one in lives if one.number == points[0].life)
        st.text(f"Score (EMA) and history are of the log of validator {printable(name, 80)}.")
    interval = None if fared.interval is None else fared.interval.interval
    own = [point for point in points if point.is_of(chosen.miner.hotkey)]
    draw_answer(chosen, standings, own, interval)
    answer = st.container()
    draw_numbers(chosen, own)
    st.header("Over time", divider="gray")
    draw_history(points)
    st.header("Where it loses", divider="gray")
    draw_slices(fared.slices)
    st.header("The candidate in its place", divider="gray")
    run = choose_run(
        store_access.replay_runs(version), _NO_RUN, "streetreplay replay --model orange"
    )
    if run is not None:
        _draw_in_place(version, chosen, run, answer)
    st.header("Challenges that it lost", divider="gray")
    draw_lost(version, chosen.miner, None if run is None else run.run_id, life)
    st.header("Clones and suspects", divider="gray")
    together = draw_until_together(version)
    if together is not None:
        draw_suspects(together, chosen.miner)


def _draw_in_place(
    version: store_access.Version, chosen: Standing, run: ReplayRun, answer: DeltaGenerator
) -> None:
    with store_access.errors_in_one_line():
        kept = draw_until_compared(version, run.run_id)
        if kept is None:
            return
        compared = kept.comparison
        found = compared_miner(compared, chosen.miner)
        answer.markdown(candidate_sentence(found, compared))
        draw_in_place(found, compared)


draw_page()
