"""The source of a challenge with the outline of what was cut from it."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading
from dashboards.challenges.source_image import source_image
from dashboards.parts.store_access import images_version
from data.records.stored_challenge import StoredChallenge
from data.store import Store
from replay.pictures.placement import placement_of

MAGENTA = np.array([0xFF, 0x0A, 0x8A])


@pytest.fixture(scope="module")
def store(ingested: Path) -> Store:
    return Store(ingested)


def challenge_of(store: Store, level: int) -> StoredChallenge:
    with reading(store) as connection:
        (challenge,) = stored_challenges(connection, ChallengeSelection(levels=(level,), limit=1))
    return challenge


def magenta(png: bytes) -> np.ndarray:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    close: np.ndarray = np.abs(pixels - MAGENTA).max(axis=2) < 40
    return close


@pytest.mark.parametrize("level", [1, 3])
def test_the_outline_is_drawn_where_the_image_lies(store: Store, level: int) -> None:
    challenge = challenge_of(store, level)
    shown = source_image(images_version(store), challenge)
    assert shown.png is not None
    assert shown.size is not None
    placement = placement_of(challenge.augmentation, shown.size)
    assert placement is not None
    assert (shown.outlined, shown.overhangs) == (True, placement.overhangs)
    # as far as the outline is wide, of the outline and source together
    drawn = magenta(shown.png)
    across = np.flatnonzero(drawn.any(axis=0))
    corners = np.vstack([placement.outline, [(0, 0), shown.size]])
    extent = np.ptp(corners, axis=0)[0]
    outline = np.ptp(placement.outline, axis=0)[0]
    assert np.ptp(across) / drawn.shape[1] == pytest.approx(outline / extent, abs=0.04)


def test_without_parameters_the_source_is_shown_plain(store: Store) -> None:
    challenge = challenge_of(store, 1)
    unknown = replace(challenge, augmentation=replace(challenge.augmentation, geometry=None))
    shown = source_image(images_version(store), unknown)
    assert shown.png is not None
    assert not shown.outlined
    assert not magenta(shown.png).any()


def test_a_source_that_cannot_be_read_says_why(store: Store) -> None:
    lost = replace(challenge_of(store, 1), parquet="lost.parquet")
    shown = source_image(images_version(store), lost)
    assert shown.png is None
    assert shown.missing_reason == "shard missing: lost.parquet"
