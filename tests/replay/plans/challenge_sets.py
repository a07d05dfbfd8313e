"""Random sets of stored challenges, as hostile as the warehouse's types allow."""

from hypothesis import strategies as st

from data.records.stored_challenge import StoredChallenge
from data.records.types import Augmentation, Geometry
from tests.worlds.stores import SHARD

_INTEGER = st.integers(-(2**31), 2**31 - 1)
_SIZE = st.integers(0, 2**31 - 1)
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)

_AUGMENTATION = st.builds(
    Augmentation,
    geometry=st.sampled_from([*Geometry, None]),
    aug_level=st.sampled_from([-1, 0, 1, 2, 3, None]),
    angle=st.none() | st.floats(allow_nan=False),
    crop_top=st.none() | _INTEGER,
    crop_left=st.none() | _INTEGER,
    crop_height=st.none() | _INTEGER,
    crop_width=st.none() | _INTEGER,
    flip_horizontal=st.booleans(),
    flip_vertical=st.booleans(),
    letterbox_scale=st.none() | st.floats(allow_nan=False),
    letterbox_height=st.none() | _INTEGER,
    letterbox_width=st.none() | _INTEGER,
    letterbox_padding=st.none() | st.tuples(_INTEGER, _INTEGER, _INTEGER, _INTEGER),
)

_CHALLENGE = st.builds(
    StoredChallenge,
    challenge_id=st.text("0123456789abcdef", min_size=16, max_size=16),
    file=_TEXT,
    position=st.integers(0, 2**63 - 1),
    era=st.sampled_from(["E4", "E7", "E9", "E10"]),
    label=st.integers(0, 1),
    source=st.sampled_from(["real", "real", "synthetic", "api", None]),
    parquet=st.sampled_from([SHARD, SHARD, "é.parquet", "z.parquet", None]) | st.none() | _TEXT,
    row=st.none() | st.integers(0, 4) | st.integers(0, 2**63 - 1),
    source_id=st.none() | st.integers(-(2**63), 2**63 - 1),
    gps=st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    image_size=st.none()
    | st.tuples(st.integers(0, 999), st.integers(0, 999))
    | st.tuples(_SIZE, _SIZE),
    augmentation=_AUGMENTATION,
)

challenge_sets = st.lists(_CHALLENGE, max_size=40, unique_by=lambda one: one.challenge_id)
"""Challenges with ids of their own, in any order."""
