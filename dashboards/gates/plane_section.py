"""Section: the views on the image plane, over a faint image of a challenge of the replay."""

import streamlit as st

from analytics.gates.exact_challenges import ExactChallenge
from analytics.gates.mean_gates import GateMeans
from dashboards.challenges.access import opened
from dashboards.challenges.rebuilt_image import rebuilt_jpegs
from dashboards.gates import access
from dashboards.gates.plane_chart import plane_charts
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.linked_choice import linked_choice
from dashboards.parts.store_access import Version
from data.text import printable

_NONE = "none"


def draw_planes(version: Version, run_id: str, gates: GateMeans) -> None:
    """Draw them, and the choice of the image.

    Args:
        version: of warehouse and sources.
        run_id: of the replay.
        gates: of it, of 12 views.
    """
    st.subheader("On the image plane")
    jpeg = _image(version, run_id)
    for column, chart in zip(st.columns(3), plane_charts(gates, jpeg), strict=True):
        draw_chart(chart, f"Mean {gates.measure} of each view.", width="content", place=column)
    st.caption(
        "Means over challenges; colours run from the least to the largest mean. The image is an "
        "example: other challenges show other roads. Views whose difference is more than chance "
        "have a heavy outline."
    )


def _image(version: Version, run_id: str) -> bytes | None:
    challenges = access.pictured(version, run_id)
    labels = {one.challenge_id: _label(one) for one in challenges} | {_NONE: "no image"}
    chosen = linked_choice("Image under the planes", labels, "image")
    if chosen == _NONE:
        return None
    found = opened(version, chosen, run_id)
    jpegs = rebuilt_jpegs(version, found.planned.challenge, found.planned.variants[:1], found.shown)
    if not jpegs:
        st.caption("That image cannot be rebuilt here: its source is not in this store's sources.")
        return None
    return jpegs[0]


def _label(one: ExactChallenge) -> str:
    label = "roadwork" if one.label else "no roadwork"
    answered = "right" if one.is_right else "wrong"
    return (
        f"{printable(one.file, 40)} · position {one.position:,} · {label}, answered {answered} · "
        f"{one.challenge_id[:12]}"
    )
