"""Parts of source images against Pillow's decoding of the whole: equal pixels, or equal errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data.errors import SourceError
from data.sources.cached_image import cached_image, decoded
from replay.image_regions.baseline_jpeg import BaselineJpeg, CannotDecodePartError
from replay.image_regions.frames import DecodedFrame, SourceFrame
from tests.replay.image_regions.jpegs import (
    PARTLY,
    WHOLLY,
    Pixels,
    boxes,
    by_opencv,
    by_pillow,
    damaged,
    outcome,
    part_pixels,
    photograph,
)

KINDS = PARTLY | WHOLLY
sizes = st.tuples(*2 * [st.one_of(st.integers(1, 40), st.integers(1, 300))])


def whole_pixels(raw: bytes, from_cache: bool) -> Pixels:
    image = decoded(raw) if from_cache else cached_image(raw)
    return np.asarray(image.convert("RGB"))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(KINDS)), sizes, st.integers(0, 9), st.booleans(), st.data())
def test_a_part_is_what_it_is_of_the_whole(
    kind: str, size: tuple[int, int], seed: int, from_cache: bool, data: st.DataObject
) -> None:
    raw = KINDS[kind](photograph(size, seed))
    expected = whole_pixels(raw, from_cache)
    frame = SourceFrame(raw, from_cache=from_cache)
    assert frame.size == size
    for _ in range(3):
        box = left, top, right, bottom = data.draw(boxes(size))
        assert np.array_equal(part_pixels(frame, box), expected[top:bottom, left:right])


@pytest.mark.parametrize("kind", PARTLY)
def test_the_kinds_that_cameras_and_caches_write_are_decoded_in_part(kind: str) -> None:
    image, _ = BaselineJpeg(PARTLY[kind](photograph((400, 300), 1))).around((200, 150, 210, 160))
    assert image.width <= 3 * 32
    assert image.height <= 3 * 16


@pytest.mark.parametrize("kind", WHOLLY)
def test_other_kinds_are_decoded_whole(kind: str) -> None:
    with pytest.raises(CannotDecodePartError):
        BaselineJpeg(WHOLLY[kind](photograph((64, 48), 1)))


def opened_frame(raw: bytes, from_cache: bool) -> SourceFrame | str:
    try:
        return SourceFrame(raw, from_cache=from_cache)
    except SourceError as error:
        return str(error)


def same_outcome(raw: bytes, from_cache: bool, rng: np.random.Generator) -> None:
    expected = outcome(lambda: whole_pixels(raw, from_cache))
    frame = opened_frame(raw, from_cache)
    if isinstance(frame, str):
        assert frame == expected
        return
    width, height = frame.size
    bottom = int(rng.integers(1, height + 1))
    box = (width // 3, bottom // 2, width // 3 + 1, bottom)
    part = outcome(lambda: part_pixels(frame, box))
    if isinstance(expected, str):
        assert part == expected
    else:
        assert np.array_equal(part, expected[box[1] : box[3], box[0] : box[2]])


def check_damaged(seed: int, examples: int) -> None:
    rng = np.random.default_rng(seed)
    intact = [make(photograph((97, 130), seed)) for make in PARTLY.values()]
    for _ in range(examples):
        raw = damaged(intact[rng.integers(len(intact))], rng)
        same_outcome(raw, True, rng)
        same_outcome(raw, False, rng)


def test_a_damaged_file_gives_the_same_pixels_or_the_same_error() -> None:
    check_damaged(0, 300)


@pytest.mark.slow
def test_ten_thousand_damaged_files() -> None:
    for seed in range(10):
        check_damaged(seed, 1000)


@pytest.mark.parametrize("kind", PARTLY)
def test_a_file_that_is_cut_off_fails_even_where_the_part_is_whole(kind: str) -> None:
    raw = PARTLY[kind](photograph((160, 400), 2))
    expected = outcome(lambda: whole_pixels(raw[:-200], from_cache=True))
    assert isinstance(expected, str)
    frame = SourceFrame(raw[:-200], from_cache=True)
    assert outcome(lambda: part_pixels(frame, (0, 0, 16, 16))) == expected


def test_codes_that_no_difference_was_given_fall_back_on_the_whole() -> None:
    """Huffman codes made for one image may lack one for the step from a row's end to a crop."""
    slope = np.tile(np.linspace(0, 255, 512).astype(np.uint8), (64, 1))
    raw = by_pillow(Image.fromarray(slope), optimize=True)
    box = (256, 0, 300, 64)
    with pytest.raises(CannotDecodePartError):
        BaselineJpeg(raw).around(box)
    frame = SourceFrame(raw, from_cache=True)
    assert np.array_equal(part_pixels(frame, box), whole_pixels(raw, True)[:64, 256:300])


def test_a_frame_whose_whole_was_asked_for_gives_the_same_parts() -> None:
    raw = by_opencv(photograph((200, 100), 3), "4:2:2")
    frame = SourceFrame(raw, from_cache=True)
    before = part_pixels(frame, (10, 20, 90, 80))
    assert np.array_equal(np.asarray(frame.whole()), whole_pixels(raw, True))
    assert np.array_equal(part_pixels(frame, (10, 20, 90, 80)), before)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_a_decoded_frame_is_converted_as_pillow_converts_it(mode: str) -> None:
    image = photograph((50, 40), 4, mode)
    expected = np.asarray(image.convert("RGB"))[5:30, 3:45]
    assert np.array_equal(part_pixels(DecodedFrame(image), (3, 5, 45, 30)), expected)


def test_an_image_in_several_pieces_of_memory_is_copied() -> None:
    image = Image.new("RGB", (4100, 1100), (1, 2, 3))  # over the 16 MiB that Pillow takes at once
    image.putpixel((4099, 1099), (7, 8, 9))
    pixels = part_pixels(DecodedFrame(image), (0, 0, 4100, 1100))
    assert np.array_equal(pixels, np.asarray(image))
