"""Rebuilds images that miners saw, for display; Numba is loaded only when one is asked for."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from dashboards.challenges.access import ShownImages
from dashboards.parts.store_access import Version
from data.records.stored_challenge import StoredChallenge
from data.sources.shards import Shards, open_shards
from replay.rebuilding.variants import Variant
from replay.settings import ReplaySettings

if TYPE_CHECKING:
    from replay.rebuilding.rebuild import RebuiltImage

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
    from replay.rebuilding.rebuild import CannotRebuildError  # noqa: PLC0415

    shards = open_shards(version.store.sources_place, required=False)
    try:
        (rebuilt,) = _rebuilt(shards, challenge, [variant], shown_images)
    except CannotRebuildError as error:
        return DisplayedImage(None, missing_reason=f"{error.reason}: {error.detail}")
    image = Image.fromarray(rebuilt.decoded())
    same = shown_images is None or _is_recorded(shards, challenge, shown_images.sources)
    return DisplayedImage(_png(image), image.size, same_source=same)


@st.cache_data(max_entries=16, show_spinner="Rebuilding the images …")
def rebuilt_jpegs(
    version: Version,
    challenge: StoredChallenge,
    variants: Sequence[Variant],
    shown_images: ShownImages | None = None,
) -> list[bytes]:
    """Possible images of a challenge as they are sent, JPEG; empty if they cannot be rebuilt.

    Args:
        version: of the store.
        challenge: which one.
        variants: which of its possible images.
        shown_images: as of `rebuilt_image`.
    """
    from replay.rebuilding.rebuild import CannotRebuildError  # noqa: PLC0415

    shards = open_shards(version.store.sources_place, required=False)
    try:
        return [image.jpeg for image in _rebuilt(shards, challenge, variants, shown_images)]
    except CannotRebuildError:
        return []


def _rebuilt(
    shards: Shards,
    challenge: StoredChallenge,
    variants: Sequence[Variant],
    shown_images: ShownImages | None,
) -> "list[RebuiltImage]":
    from replay.rebuilding.rebuild import Rebuilder  # noqa: PLC0415

    settings = ReplaySettings() if shown_images is None else shown_images.settings
    rebuilder = Rebuilder(shards, settings.seed, arithmetic=settings.arithmetic)
    return [rebuilder.rebuild(challenge, variant) for variant in variants]


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
