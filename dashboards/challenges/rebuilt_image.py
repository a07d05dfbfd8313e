"""Rebuilds the image that miners saw, for display; Numba is loaded only when one is asked for."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from dashboards.parts.store_access import ShownImages, Version
from data.records.stored_challenge import StoredChallenge
from data.sources.shards import Shards, open_shards
from replay.rebuilding.variants import Variant
from replay.settings import ReplaySettings

_SHOWN_SIDE = 448


@dataclass(frozen=True)
class DisplayedImage:
    """A PNG to display and the true size of the image, or the reason why there is none.

    `same_source` is False if it was made of another file than a replay recorded.
    """

    png: bytes | None
    size: tuple[int, int] | None = None
    missing_reason: str | None = None
    same_source: bool = True


@st.cache_data(max_entries=64, show_spinner="Rebuilding the image …")
def rebuilt_image(
    version: Version,
    challenge: StoredChallenge,
    variant: Variant,
    shown_images: ShownImages | None = None,
) -> DisplayedImage:
    """Rebuild one possible image of a challenge, as a miner decodes it.

    Args:
        version: of the store.
        challenge: which one.
        variant: which of its possible images.
        shown_images: of the replay whose candidate was shown it; None: with a replay's default
            settings.
    """
    from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder  # noqa: PLC0415

    shards = open_shards(version.store.sources)
    settings = ReplaySettings() if shown_images is None else shown_images.settings
    try:
        rebuilder = Rebuilder(shards, settings.seed, arithmetic=settings.arithmetic)
        rebuilt = rebuilder.rebuild(challenge, variant)
    except CannotRebuildError as error:
        return DisplayedImage(None, missing_reason=f"{error.reason}: {error.detail}")
    image = Image.fromarray(rebuilt.decoded())
    same = shown_images is None or _is_recorded(shards, challenge, shown_images.sources)
    return DisplayedImage(_png(image), image.size, same_source=same)


def _is_recorded(shards: Shards, challenge: StoredChallenge, recorded: Mapping[str, str]) -> bool:
    """False if a replay that recorded its sources has read another file for this challenge."""
    fingerprints = shards.fingerprints([(challenge.parquet or "", challenge.row or 0)])
    ((name, fingerprint),) = fingerprints.items()
    if not recorded:
        return True
    # of cached images a run keeps one hash of all that it used
    return recorded.get(name) == fingerprint if name == challenge.parquet else name in recorded


def _png(image: Image.Image) -> bytes:
    """Enlarged by an integer factor, for 224 pixels are few; a full-size image is shrunk."""
    if max(image.size) <= _SHOWN_SIDE:
        factor = _SHOWN_SIDE // max(image.size)
        resized = image.resize(
            (image.width * factor, image.height * factor), Image.Resampling.NEAREST
        )
    else:
        resized = image.copy()
        resized.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    png = io.BytesIO()
    resized.save(png, format="PNG")
    return png.getvalue()
