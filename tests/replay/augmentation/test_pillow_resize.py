"""Pillow's own resize is the oracle."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from replay.augmentation.pillow_resize import resized_square
from replay.image_regions.frames import DecodedFrame
from tests.worlds.stores import picture

lengths = st.one_of(st.integers(1, 30), st.integers(1, 700))


@settings(max_examples=150, deadline=None)
@given(lengths, st.integers(0, 40), st.integers(0, 40), lengths, st.integers(0, 9))
def test_a_square_is_resized_as_pillow_resizes_it(
    length: int, left: int, top: int, side: int, seed: int
) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (length + 40, length + 40, 3), np.uint8)
    image = Image.fromarray(noise)
    box = (left, top, left + length, top + length)
    expected = image.crop(box).resize((side, side), Image.Resampling.BILINEAR)
    assert np.array_equal(resized_square(DecodedFrame(image), box, side), np.asarray(expected))


def test_the_sizes_of_the_data_set() -> None:
    for size in ((1920, 1080), (4032, 3024)):
        image = picture(size)
        shorter = min(size)
        left = (size[0] - shorter) // 2
        box = (left, 0, left + shorter, shorter)
        expected = image.crop(box).resize((224, 224), Image.Resampling.BILINEAR)
        assert np.array_equal(resized_square(DecodedFrame(image), box, 224), np.asarray(expected))


def test_white_stays_white() -> None:
    """Where rounded weights sum to more than 1, a byte must not overflow."""
    for length in (1, 3, 7, 225, 1080, 1333):
        white = DecodedFrame(Image.new("RGB", (length, length), (255, 255, 255)))
        assert (resized_square(white, (0, 0, length, length), 224) == 255).all()
