"""The source image of a challenge with the outline of what was cut from it, for display."""

import io
from dataclasses import dataclass

import streamlit as st

from dashboards.parts.store_access import Version
from data.records.stored_challenge import StoredChallenge
from data.sources.shards import open_shards

_INCHES, _DPI = 7.0, 120


@dataclass(frozen=True)
class SourceImage:
    """A PNG, or the reason why there is none; `size` is the true one, (width, height) in pixels.

    `outlined` is False where the log lacks a parameter of the crop; `overhangs` tells that what was
    sent reaches past the source.
    """

    png: bytes | None
    size: tuple[int, int] | None = None
    outlined: bool = False
    overhangs: bool = False
    missing_reason: str | None = None


@st.cache_data(max_entries=32, show_spinner="Drawing the source …")
def source_image(version: Version, challenge: StoredChallenge) -> SourceImage:
    """Draw the source of a challenge.

    Args:
        version: of the store.
        challenge: which one.
    """
    # seconds to import, which a page without an image is not to wait for
    from matplotlib.figure import Figure  # noqa: PLC0415

    from replay.pictures.cards import small_picture  # noqa: PLC0415
    from replay.pictures.outlined_source import draw_source  # noqa: PLC0415
    from replay.pictures.placement import placement_of  # noqa: PLC0415
    from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder  # noqa: PLC0415

    try:
        source = Rebuilder(open_shards(version.store.sources_place, required=False)).source(
            challenge
        )
    except CannotRebuildError as error:
        return SourceImage(None, missing_reason=f"{error.reason}: {error.detail}")
    placement = placement_of(challenge.augmentation, source.size)
    figure = Figure(figsize=(_INCHES, _INCHES), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    draw_source(axes, small_picture(source), placement)
    png = io.BytesIO()
    figure.savefig(png, format="png", bbox_inches="tight", pad_inches=0.05, transparent=True)
    overhangs = placement is not None and placement.overhangs
    return SourceImage(png.getvalue(), source.size, placement is not None, overhangs)
