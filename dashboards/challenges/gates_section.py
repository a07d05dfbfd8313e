"""Section: how open the model's gates were for each view of a challenge, over its image."""

import streamlit as st

from dashboards.challenges.access import Opened
from dashboards.challenges.gates_over_image import gates_over_image
from dashboards.challenges.rebuilt_image import rebuilt_jpegs
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.store_access import Version
from dashboards.parts.view_cells import VIEW_NAMES
from replay.rebuilding.variants import Variant

_MEASURES = {"share of the fusion": "share", "gate": "gate"}


def draw_gates(version: Version, opened: Opened, drawn: Variant | None) -> None:
    """Draw the gates of a replay's model; nothing where the replay has none of this challenge.

    Args:
        version: of the store.
        opened: the challenge.
        drawn: the image of it that is shown; None: without an image.
    """
    if len(opened.gates) != len(VIEW_NAMES):
        return
    st.markdown("**Gates over the image**")
    measure = _MEASURES[
        st.radio(
            "Of each view, the",
            list(_MEASURES),
            horizontal=True,
            key="gates_by",
            bind="query-params",
        )
    ]
    jpeg = None
    if drawn is not None:
        challenge = opened.planned.challenge
        jpeg = next(iter(rebuilt_jpegs(version, challenge, (drawn,), opened.shown)), None)
    values = [gate.share if measure == "share" else gate.gate for gate in opened.gates]
    draw_chart(
        gates_over_image(values, measure, jpeg),
        f"The {measure} of each view over the image.",
        width="content",
    )
    st.caption(
        "Means over the images that the candidate was shown. The nine tiles of the grid lie as in "
        "the image; the whole image, its centre and its right half stand below it."
    )
