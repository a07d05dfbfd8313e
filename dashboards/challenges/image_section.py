"""Section: the image of a challenge, its source, and the images that the candidate was shown."""

from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st

from analytics.scoring.predicted_class import CLASS_THRESHOLD
from dashboards.challenges.access import Opened, ShownImages
from dashboards.challenges.rebuilt_image import rebuilt_image, rebuilt_jpegs
from dashboards.challenges.source_image import source_image
from dashboards.parts.store_access import Version
from data.text import printable
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.variants import Variant, distortion_combinations

_FIDELITIES = {
    Fidelity.EXACT: "Exact: identical to the image that miners saw.",
    Fidelity.DISTRIBUTION: "Distribution: one of several possible images, since the distortions of "
    "levels 2 and 3 are not logged.",
    Fidelity.IMPOSSIBLE: "Impossible: the image cannot be rebuilt.",
}
_THUMBNAIL = 112
_MOST_THUMBNAILS = 16
"""At once; a replay may have shown all 243 images of a level 3 challenge."""


def draw_images(version: Version, opened: Opened) -> Variant | None:
    """Draw the image beside its source, and the others to choose from.

    Returns:
        Which image is drawn; None where there is none.
    """
    planned = opened.planned
    if not planned.variants:
        st.caption(_FIDELITIES[planned.fidelity])
        reason = str(planned.reason)
        detail = f"{reason} ({planned.detail})" if planned.detail else reason
        st.text(f"No image: {printable(detail)}")
        if planned.reason is Reason.SHARD_MISSING:
            st.text(f"Shards are looked for in {printable(str(version.store.sources_place))}")
        return None
    answers = _answers(opened)
    variants = tuple(answers) or planned.variants
    shown = opened.shown if answers else None
    image_place, source_place = st.columns(2)
    chosen = _choose_variant(version, opened, variants, answers, shown)
    with image_place:
        drawn = _draw_rebuilt(version, opened, chosen, answers.get(chosen), shown)
    with source_place:
        _draw_source(version, opened)
    return chosen if drawn else None


def _answers(opened: Opened) -> dict[Variant, float]:
    """The images that the candidate was shown, with its answer to each."""
    if opened.shown is None:
        return {}
    combinations = distortion_combinations(opened.planned.challenge.augmentation.aug_level)
    return {
        Variant(combinations[image.variant], image.weight, image.variant): image.probability
        for image in opened.shown.images
        if image.variant < len(combinations)
    }


def _choose_variant(
    version: Version,
    opened: Opened,
    variants: Sequence[Variant],
    answers: dict[Variant, float],
    shown: ShownImages | None,
) -> Variant:
    """One of the images, by a strip of them."""
    if len(variants) == 1:
        return variants[0]
    challenge = opened.planned.challenge
    words = [
        f"{number}{_answer_text(answers.get(variant), challenge.label)}"
        for number, variant in enumerate(variants, 1)
    ]
    whose = (
        "Images that the candidate was shown, with its answers" if answers else "Possible images"
    )
    title, key = f"{whose}, {len(variants)}: choose one", f"image of {challenge.challenge_id}"
    numbers = range(len(variants))
    chosen: int | None
    if len(variants) <= _MOST_THUMBNAILS:
        chosen = st.pills(title, numbers, default=0, format_func=words.__getitem__, key=key)
    else:
        chosen = st.selectbox(title, numbers, format_func=words.__getitem__, key=key)
    strip = variants[:_MOST_THUMBNAILS]
    with st.container(horizontal=True):
        for number, jpeg in enumerate(rebuilt_jpegs(version, challenge, strip, shown)):
            alt = f"Possible image {number + 1}."
            st.image(jpeg, caption=words[number], width=_THUMBNAIL, alt=alt)
    if len(variants) > len(strip):
        st.caption(f"The first {len(strip)} of {len(variants)} images are drawn small.")
    return variants[chosen or 0]


def _answer_text(probability: float | None, label: int) -> str:
    """Nothing where there is none."""
    if probability is None:
        return ""
    mark = "✓" if (probability > CLASS_THRESHOLD) == bool(label) else "✗"
    return f" · {probability:.2f} {mark}"


def _draw_rebuilt(
    version: Version,
    opened: Opened,
    variant: Variant,
    probability: float | None,
    shown: ShownImages | None,
) -> bool:
    st.markdown("**What miners saw**")
    image = rebuilt_image(version, opened.planned.challenge, variant, shown)
    if image.png is None or image.size is None:
        st.caption(_FIDELITIES[Fidelity.IMPOSSIBLE])
        st.text(f"No image: {printable(image.missing_reason or '')}")
        return False
    width, height = image.size
    st.image(image.png, alt="The image that miners were sent, as far as it can be rebuilt.")
    st.caption(
        f"{_FIDELITIES[opened.planned.fidelity]} {width} × {height} pixels, resized for this page."
    )
    if len(opened.planned.variants) > 1:
        applied = [
            f"{name} {level}" for name, level in asdict(variant.distortions).items() if level
        ]
        noise = "; its noise is simulated" if variant.noisy else ""
        st.caption(
            f"Distortions: {', '.join(applied) or 'none'}{noise}. Its weight is "
            f"{variant.weight:.3f}."
        )
    if probability is not None:
        st.text(f"Candidate's answer to this image: {probability:.4f}")
    if not image.same_source:
        st.warning(
            "The candidate was shown it as made of another file of this name; see `sources`."
        )
    return True


def _draw_source(version: Version, opened: Opened) -> None:
    st.markdown("**Its source, and what was cut from it**")
    source = source_image(version, opened.planned.challenge)
    if source.png is None or source.size is None:
        st.text(f"No source: {printable(source.missing_reason or '')}")
        return
    width, height = source.size
    st.image(
        source.png,
        alt="The source image; the outline of what was sent is drawn on it.",
        width="stretch",
    )
    if not source.outlined:
        st.caption(f"{width} × {height} pixels. The log does not tell what was cut from it.")
        return
    past = " It reaches past the source: black in what was sent." if source.overhangs else ""
    st.caption(
        f"{width} × {height} pixels. The outline is what was sent, turned as it was; the dot is "
        f"its top left corner.{past}"
    )
