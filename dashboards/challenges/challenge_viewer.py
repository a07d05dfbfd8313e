"""Section: one challenge with its image, its answers, and all that the log says of it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from analytics.queries.challenge_answers import AnswerOutcome, CandidateAnswer, MinerAnswer
from analytics.queries.replay_runs import ReplayRun
from dashboards.challenges.challenge_choice import choose_challenge
from dashboards.challenges.challenge_tables import augmentation_rows, record_rows
from dashboards.challenges.rebuilt_image import DisplayedImage, rebuilt_image
from dashboards.parts import store_access
from data.records.stored_challenge import StoredChallenge
from data.store import Store
from data.text import printable
from replay.plans.plan import Planned
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.variants import Variant, distortion_combinations

_FIDELITIES = {
    Fidelity.EXACT: "Exact: identical to the image that miners saw.",
    Fidelity.DISTRIBUTION: "Distribution: one of several possible images, since the distortions of "
    "levels 2 and 3 are not logged.",
    Fidelity.IMPOSSIBLE: "Impossible: the image cannot be rebuilt.",
}
_MARKS = {
    AnswerOutcome.RIGHT: "✓ right",
    AnswerOutcome.WRONG: "✗ wrong",
    AnswerOutcome.NO_ANSWER: "– no answer",
    AnswerOutcome.NOT_FINITE: "– not a number",
}


@st.fragment
def draw_challenge_viewer(store: Store, run: ReplayRun | None) -> None:
    """Draw the choice of a challenge, and the one that was chosen."""
    with store_access.errors_in_one_line():
        version = store_access.images_version(store)
        chosen = choose_challenge(store_access.planned_challenges(version))
        if chosen is not None:
            _draw_challenge(version, chosen, run)


def _draw_challenge(version: store_access.Version, chosen: Planned, run: ReplayRun | None) -> None:
    record, answers, candidate = store_access.challenge(
        version, chosen.challenge.challenge_id, run.run_id if run else None
    )
    left, right = st.columns([4, 7])
    with left:
        image_container = st.container()
    with right:
        label = "1, roadwork" if record["label"] == 1 else "0, no roadwork"
        st.markdown(f"**Scored label: {label}**")
        _write_candidate(candidate, run)
        _answer_table(answers)
    _record_tables(record)
    # last, for the first image waits for torch
    with image_container:
        _draw_image(version, chosen, run)


def _draw_image(version: store_access.Version, chosen: Planned, run: ReplayRun | None) -> None:
    if not chosen.variants:
        st.caption(_FIDELITIES[chosen.fidelity])
        st.text(f"No image: {_reason(chosen.reason, chosen.detail)}")
        if chosen.reason is Reason.SHARD_MISSING:
            st.text(f"Shards are looked for in {version.store.sources}")
        return
    challenge = chosen.challenge
    shown_images = None
    if run is not None:
        shown_images = store_access.shown_images(version, run.run_id, challenge.challenge_id)
    if shown_images is not None and shown_images.images:
        image = _shown_image(version, challenge, shown_images)
    else:
        image = rebuilt_image(
            version, challenge, _choose_variant(chosen.variants, "Possible image")
        )
    if image.png is None or image.size is None:
        st.caption(_FIDELITIES[Fidelity.IMPOSSIBLE])
        st.text(f"No image: {printable(image.missing_reason or '')}")
        return
    width, height = image.size
    st.image(image.png, alt="The image that miners were sent, as far as it can be rebuilt.")
    st.caption(f"{_FIDELITIES[chosen.fidelity]} {width} × {height} pixels, resized for this page.")
    if not image.same_source:
        st.warning(
            "The candidate was shown it as made of another file of this name; see `sources`."
        )


def _shown_image(
    version: store_access.Version,
    challenge: StoredChallenge,
    shown_images: store_access.ShownImages,
) -> DisplayedImage:
    """One of the images that the candidate was shown, as the user chooses, and its answer."""
    combinations = distortion_combinations(challenge.augmentation.aug_level)
    images = {
        Variant(combinations[image.variant], image.weight, image.variant): image
        for image in shown_images.images
        if image.variant < len(combinations)
    }
    variant = _choose_variant(tuple(images), "Image that the candidate was shown")
    st.text(f"Candidate's answer to this image: {images[variant].probability:.4f}")
    return rebuilt_image(version, challenge, variant, shown_images)


def _choose_variant(images: Sequence[Variant], label: str) -> Variant:
    if len(images) == 1:
        return images[0]
    ordinal = st.slider(f"{label} (1 to {len(images)})", 1, len(images))
    variant = images[ordinal - 1]
    applied = [f"{name} {level}" for name, level in asdict(variant.distortions).items() if level]
    noise = "; its noise is simulated" if variant.noisy else ""
    st.caption(f"Distortions: {', '.join(applied) or 'none'}{noise}.")
    return variant


def _reason(reason: str | None, detail: str | None) -> str:
    return printable(f"{reason} ({detail})" if detail else str(reason))


def _write_candidate(candidate: CandidateAnswer | None, run: ReplayRun | None) -> None:
    if run is None:
        st.text("Candidate: no replay has been run on this store.")
        return
    name = printable(run.model, 60)
    if candidate is None:
        st.text(f"Candidate ({name}): this challenge is not in its replay.")
    elif candidate.probability is None or candidate.outcome is None:
        st.text(f"Candidate ({name}): no answer, {_reason(candidate.reason, None)}.")
    else:
        spread = ""
        if candidate.spread:
            spread = (
                f" ± {candidate.spread:.3f} over the possible images, of which "
                f"{candidate.positive_share:.0%} round to roadwork"
            )
        st.text(
            f"Candidate ({name}): {candidate.probability:.4f}{spread}, "
            f"class {candidate.predicted}: {_MARKS[candidate.outcome]}"
        )


def _answer_table(answers: list[MinerAnswer]) -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame([_row(answer) for answer in answers]),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "Hotkey": st.column_config.TextColumn(width="small"),
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
        "Hotkey": printable(answer.hotkey, 64),
        "Prediction": answer.prediction,
        # as text: a log may hold 1e300
        "Class": "" if answer.predicted is None else f"{answer.predicted:g}",
        "Answer": _MARKS[answer.outcome],
        "Reward": answer.reward,
        "MCC": answer.mcc,
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
