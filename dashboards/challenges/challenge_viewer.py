"""Section: the challenge that is open, with its images, its answers and what the log says of it."""

from typing import Any

import pandas as pd
import streamlit as st

from analytics.queries.challenge_answers import CandidateAnswer, MinerAnswer
from analytics.queries.replay_runs import ReplayRun
from dashboards.challenges import access
from dashboards.challenges.challenge_table import step_to
from dashboards.challenges.challenge_tables import augmentation_rows, record_rows
from dashboards.challenges.gates_section import draw_gates
from dashboards.challenges.image_section import draw_images
from dashboards.challenges.outcomes import MARKS
from dashboards.parts.store_access import Version, errors_in_one_line
from data.text import printable
from replay.comparing.short_hotkey import short_hotkey


def draw_challenge(
    listing: access.Listing, images: Version, challenge_id: str, run: ReplayRun | None
) -> None:
    """Draw one challenge.

    Args:
        listing: the list that it is opened from, though it need not match.
        images: the version of warehouse and sources.
        challenge_id: as a link names it.
        run: the replay beside it.
    """
    with errors_in_one_line():
        opened = access.opened(images, challenge_id, run.run_id if run else None)
        _draw_steps(listing, challenge_id)
        label = "1, roadwork" if opened.record["label"] == 1 else "0, no roadwork"
        st.markdown(f"**Scored label: {label}**")
        _write_candidate(opened.candidate, run)
        drawn = draw_images(images, opened)
        draw_gates(images, opened, drawn)
        st.markdown("**Answers of miners**")
        _answer_table(opened.answers)
        _record_tables(opened.record)


def _draw_steps(listing: access.Listing, challenge_id: str) -> None:
    st.code(challenge_id, language=None)
    place = access.beside(listing, challenge_id)
    previous = None if place is None else place.previous
    following = None if place is None else place.next
    with st.container(horizontal=True):
        st.button(
            "Previous",
            icon=":material/arrow_back:",
            key="previous",
            disabled=previous is None,
            on_click=step_to,
            args=(previous,),
        )
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            key="next",
            disabled=following is None,
            on_click=step_to,
            args=(following,),
        )
        st.button("Close", icon=":material/close:", key="close", on_click=step_to, args=(None,))
    if place is None:
        st.caption(
            "This challenge does not match the filters above, so none comes before or after."
        )
    else:
        st.caption(f"Number {place.position + 1:,} of the list.")


def _write_candidate(candidate: CandidateAnswer | None, run: ReplayRun | None) -> None:
    if run is None:
        st.text("Candidate: no replay has been run on this store.")
        return
    name = printable(run.model, 60)
    if candidate is None:
        st.text(f"Candidate ({name}): this challenge is not in its replay.")
    elif candidate.probability is None or candidate.outcome is None:
        st.text(f"Candidate ({name}): no answer, {printable(str(candidate.reason))}.")
    else:
        spread = ""
        if candidate.spread:
            spread = (
                f" ± {candidate.spread:.3f} over the possible images, of which "
                f"{candidate.positive_share:.0%} round to roadwork"
            )
        st.text(
            f"Candidate ({name}): {candidate.probability:.4f}{spread}, "
            f"class {candidate.predicted}: {MARKS[candidate.outcome]}"
        )


def _answer_table(answers: list[MinerAnswer]) -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame([_row(answer) for answer in answers]),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "Prediction": number(format="%.4f", help="As logged; -1 stands for no answer."),
            "Class": st.column_config.TextColumn(
                width="small", help="The validator rounds half to even: 0.5 is class 0."
            ),
            "Reward": number(format="%.3f"),
            "MCC": number(format="%.3f", help="Logged: over the miner's last 100 challenges."),
        },
    )
    st.caption(
        f"{len(answers)} answers. Class is by the validator's rounding; MCC is as logged, over the "
        "miner's last 100 challenges."
    )


def _row(answer: MinerAnswer) -> dict[str, object]:
    return {
        "Slot": answer.slot,
        "Uid": answer.uid,
        "Hotkey": printable(short_hotkey(answer.hotkey)),
        "Prediction": answer.prediction,
        # as text: a log may hold 1e300
        "Class": "" if answer.predicted is None else f"{answer.predicted:g}",
        "Answer": MARKS[answer.outcome],
        "Reward": answer.reward,
        "MCC": answer.mcc,
        "Whole hotkey": printable(answer.hotkey, 64),
    }


def _record_tables(record: dict[str, Any]) -> None:
    left, right = st.columns([4, 7])
    with left:
        st.markdown("**Recorded augmentation**")
        st.dataframe(pd.DataFrame(augmentation_rows(record)), hide_index=True, height="content")
    with right:
        st.markdown("**What the log says of the image** (miners saw none of this)")
        st.dataframe(
            pd.DataFrame(record_rows(record)),
            hide_index=True,
            height="content",
            column_config={"Value": st.column_config.TextColumn(width="medium")},
        )
