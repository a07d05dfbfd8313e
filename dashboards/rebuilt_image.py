"""The image that miners saw, for the eye; Numba is loaded only when one is asked for."""

import io
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from analytics.stored_challenge import StoredChallenge
from dashboards.store_access import Version
from data.sources import open_shards
from replay.variants import Drawn

_SHOWN_SIDE = 448


@dataclass(frozen=True)
class Shown:
    """A picture (PNG) and the true size of the image, or the reason why there is none."""

    png: bytes | None
    size: tuple[int, int] | None = None
    why_not: str | None = None


@st.cache_data(max_entries=64, show_spinner="Rebuilding the image …")
def rebuilt_image(version: Version, challenge: StoredChallenge, drawn: Drawn) -> Shown:
    """Rebuild one possible image of a challenge, as a miner decodes it."""
    from replay.rebuild import CannotRebuildError, Rebuilder  # noqa: PLC0415

    try:
        rebuilt = Rebuilder(open_shards(version.store.sources)).rebuild(challenge, drawn)
    except CannotRebuildError as error:
        return Shown(None, why_not=f"{error.reason}: {error.detail}")
    image = Image.fromarray(rebuilt.decoded())
    return Shown(_png(image), image.size)


def _png(image: Image.Image) -> bytes:
    """Enlarged by whole pixels, for 224 pixels are few; a full-size image is shrunk."""
    if max(image.size) <= _SHOWN_SIDE:
        factor = _SHOWN_SIDE // max(image.size)
        shown = image.resize(
            (image.width * factor, image.height * factor), Image.Resampling.NEAREST
        )
    else:
        shown = image.copy()
        shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    saved = io.BytesIO()
    shown.save(saved, format="PNG")
    return saved.getvalue()
