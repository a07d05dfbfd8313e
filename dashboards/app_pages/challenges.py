"""The Challenges page: a list by filters, and one challenge with its images and answers."""

from dataclasses import replace

import streamlit as st

from analytics.listing.challenge_filter import BY_DIFFICULTY, Sorting
from analytics.miners.kept_estimates import kept_estimates
from analytics.queries.replay_runs import ReplayRun
from dashboards.challenges import access
from dashboards.challenges.answer import draw_answer
from dashboards.challenges.challenge_table import OPENED, draw_challenge_table
from dashboards.challenges.challenge_viewer import draw_challenge
from dashboards.challenges.doubtful_labels import draw_doubtful_labels
from dashboards.challenges.filter_form import choose_challenges, choose_sorting
from dashboards.challenges.wrong_chart import wrong_shares_chart
from dashboards.parts import store_access
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.miners_report import draw_until_estimated
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.run_choice import choose_run
from data.store import Store

_NO_RUN = (
    "No candidate has been replayed on this store yet, so there is no candidate and no fidelity "
    "here. In a terminal, run the baseline that comes along:"
)

_READING = """\
- **Right** and **wrong** are by the validator's rounding (half to even, so 0.5 is class 0: no
  roadwork). Miners' answers that are missing (-1) or not finite count neither way; **Miners wrong**
  is the share of the others that is wrong.
- **Intervals** (95%) take answers to one source image as one cluster: a validator sends an image
  often. With fewer than 10 source images there is none. They do not hold for shares that the filter
  chose by, such as those of challenges on which the candidate is wrong.
- **The same ones**: with a replay, miners' share is of their answers to the challenges that the
  candidate answered too.
- **Fidelity** is that of the images in the replay. Exact: identical to what miners saw.
  Distribution: one of several possible ones, for the distortions of levels 2 and 3 are not logged;
  the answer is the mean over those that the replay drew. Impossible: no image, and no answer.
- **Difficulty** is of an item-response model over all miners' answers: the ability, in logits above
  the mean miner's, at which half of the miners answer rightly. With ten answers it stays close to
  the mean of all challenges.
- **Sorting** puts challenges without the value last, and equal ones in order of time, then of their
  log file.
- The link of this page holds the filters, the page of the list, and the challenge that is open."""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "Challenges", "What miners were sent, and how they and a candidate answered."
    )
    if store is None:
        return
    with store_access.errors_in_one_line():
        version = store_access.warehouse_version(store)
        run = choose_run(
            store_access.replay_runs(version), _NO_RUN, "streetreplay replay --model orange"
        )
        _draw_list(store, version, run)


def _draw_list(store: Store, version: store_access.Version, run: ReplayRun | None) -> None:
    run_id = None if run is None else run.run_id
    answer = st.container()
    kept = kept_estimates(store)
    estimates = None if kept is None else kept.basis
    values = access.listed_slices(version, run_id, estimates)
    chosen = choose_challenges(values, with_run=run is not None)
    sorting = choose_sorting()
    by_difficulty = sorting in BY_DIFFICULTY or chosen.difficulties is not None
    if by_difficulty:
        draw_until_estimated(version)
    listing = access.Listing(version, run_id, estimates, chosen, sorting)
    found = access.summary(replace(listing, sorting=Sorting.OLDEST))
    with answer:
        draw_answer(found, chosen)
    if any(one.share is not None for one in found.wrong_shares):
        draw_chart(
            wrong_shares_chart(found.wrong_shares, with_candidate=run is not None),
            "Challenges by the share of miners that are wrong on them.",
        )
    if found.matching:
        draw_challenge_table(listing, found.matching)
    challenge_id = st.query_params.get(OPENED)
    if challenge_id:
        st.header("The open challenge", divider="gray")
        draw_challenge(listing, store_access.images_version(store), challenge_id, run)
    draw_doubtful_labels(version, told=by_difficulty)
    with st.expander("How to read this"):
        st.markdown(_READING)


draw_page()
