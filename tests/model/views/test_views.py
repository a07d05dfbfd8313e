from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from data.errors import RunError
from model.views.resize_weights import resize_weights
from model.views.views import (
    VIEW_NAMES,
    VIEWS,
    ViewExtractor,
    ViewSettings,
    view_boxes,
)
from replay.candidates.predictor import Image, LazySequence

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = st.integers(1, 5000)

# Of values that are normalised: torch multiplies float32 weights with values up to 255 before it
# divides, which costs it a few 1e-5; half a grey level is 1e-2.
TOLERANCE = 2e-4


def noise(height: int, width: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def extractor(side: int) -> ViewExtractor:
    return ViewExtractor(ViewSettings(side, MEAN, STD))


def by_torch(image: Image, side: int) -> torch.Tensor:
    """The oracle: torch's own antialiased resize of every crop, in float64."""
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].double() / 255
    views = [
        F.interpolate(pixels[..., a:c, b:d], (side, side), mode="bilinear", antialias=True)
        for a, b, c, d in view_boxes(*image.shape[:2])
    ]
    mean, std = (torch.tensor(moment).double()[:, None, None] for moment in (MEAN, STD))
    return ((torch.cat(views) - mean) / std).float()


@given(SIZES, SIZES)
def test_every_view_lies_inside_and_holds_a_pixel(height: int, width: int) -> None:
    boxes = view_boxes(height, width)
    assert len(boxes) == VIEWS == len(VIEW_NAMES)
    for top, left, bottom, right in boxes:
        assert 0 <= top < bottom <= height
        assert 0 <= left < right <= width


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_grid_covers_every_pixel(height: int, width: int) -> None:
    seen = np.zeros((height, width), bool)
    for top, left, bottom, right in view_boxes(height, width)[1:10]:
        seen[top:bottom, left:right] = True
    assert seen.all()


@given(SIZES)
def test_tiles_are_two_fifths_wide_and_overlap_by_a_quarter(size: int) -> None:
    tiles = [(left, right) for _, left, _, right in view_boxes(1, size)[1:4]]
    for left, right in tiles:
        assert 0 <= right - left - size / 2.5 < 2
    for (_, end), (begin, _) in pairwise(tiles):
        assert 0 <= end - begin - size / 10 < 2


def test_views_are_the_whole_the_grid_by_rows_the_centre_and_the_right_half() -> None:
    boxes = view_boxes(100, 200)
    assert boxes[0] == (0, 0, 100, 200)
    assert boxes[1:4] == ((0, 0, 40, 80), (0, 60, 40, 140), (0, 120, 40, 200))
    assert boxes[4] == (30, 0, 70, 80)
    assert boxes[9] == (60, 120, 100, 200)
    assert boxes[10] == (25, 50, 75, 150)
    assert boxes[11] == (0, 100, 100, 200)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(0, 2**31))
def test_views_are_torchs_antialiased_resize_of_each_crop(
    height: int, width: int, side: int, seed: int
) -> None:
    image = noise(height, width, seed)
    views = extractor(side).of_images([image])[0]
    torch.testing.assert_close(views, by_torch(image, side), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("height", "width", "side"), [(224, 224, 224), (480, 641, 64), (3024, 4032, 96), (1, 777, 16)]
)
def test_one_code_serves_a_challenge_and_a_photograph(height: int, width: int, side: int) -> None:
    image = noise(height, width)
    views = extractor(side).of_images([image])[0]
    torch.testing.assert_close(views, by_torch(image, side), rtol=0, atol=TOLERANCE)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 30))
def test_matrices_of_accelerators_give_the_same_views(height: int, width: int, side: int) -> None:
    batch = torch.from_numpy(np.stack([noise(height, width, seed) for seed in range(2)]))
    batch = batch.permute(0, 3, 1, 2)
    ours = extractor(side)
    torch.testing.assert_close(
        ours.by_matrices(batch), ours.of_batch(batch), rtol=0, atol=TOLERANCE
    )


def test_matrices_in_several_parts_are_those_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = torch.from_numpy(np.stack([noise(20, 30, seed) for seed in range(5)]))
    batch = batch.permute(0, 3, 1, 2)
    whole = extractor(8).by_matrices(batch)
    monkeypatch.setattr("model.views.views._FLOAT_BYTES", 2 * 20 * 30 * 3 * 4)
    torch.testing.assert_close(extractor(8).by_matrices(batch), whole)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_images_of_several_sizes_do_not_depend_on_threads(threads: int) -> None:
    images = [noise(30, 40), noise(7, 300), noise(224, 224)][:threads]
    lazy = LazySequence([partial(np.copy, image) for image in images])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        extracted = extractor(16).of_images(lazy)
        few = extractor(16).of_images(images[:1])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(few[0], extracted[0])
    for image, views in zip(images, extracted, strict=True):
        torch.testing.assert_close(views, by_torch(image, 16), rtol=0, atol=TOLERANCE)


def test_any_memory_layout_gives_the_same_views() -> None:
    image = noise(21, 34)
    frozen = image.copy()
    frozen.flags.writeable = False
    strided = np.asfortranarray(image)
    for other in (frozen, strided, image[:, ::-1][:, ::-1]):
        assert torch.equal(extractor(8).of_images([other]), extractor(8).of_images([image]))
    assert image.flags.writeable


def test_a_plain_colour_stays_that_colour_everywhere() -> None:
    image = np.full((33, 71, 3), (10, 120, 250), np.uint8)
    views = extractor(24).of_images([image])
    expected = (torch.tensor([10, 120, 250]) / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    torch.testing.assert_close(views, expected[:, None, None].expand_as(views))


@given(st.integers(1, 3000), st.integers(1, 300))
def test_weights_sum_to_one_and_stay_inside(size: int, side: int) -> None:
    starts, weights = resize_weights((5, 5 + size), side)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert starts.min() >= 5
    assert starts.max() + weights.shape[1] <= 5 + size


def test_memory_is_used_again_only_when_no_tensor_needs_it() -> None:
    ours = extractor(16)
    first = ours.of_images([noise(20, 20, 1), noise(20, 20, 2)])
    before, address = first.clone(), first.data_ptr()
    second = ours.of_images([noise(20, 20, 3)])
    assert second.data_ptr() != address
    part = first[1, 2].numpy()
    del first
    third = ours.of_images([noise(20, 20, 4)])
    assert third.data_ptr() != address
    assert np.array_equal(part, before[1, 2].numpy())
    del part
    again = ours.of_images([noise(20, 20, 1)])
    assert again.data_ptr() == address
    assert torch.equal(again[0], before[0])
    assert torch.equal(second, extractor(16).of_images([noise(20, 20, 3)]))


def test_no_images_have_no_views() -> None:
    assert extractor(8).of_images([]).shape == (0, 12, 3, 8, 8)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_image_is_refused(image: Any) -> None:
    with pytest.raises(RunError, match=r"image: found .*; expected uint8 \(H, W, 3\)"):
        extractor(8).of_images([image])


def test_what_is_no_batch_is_refused() -> None:
    with pytest.raises(RunError, match=r"found torch.float32 \(1, 3, 8, 8\)"):
        extractor(8).of_batch(torch.zeros(1, 3, 8, 8))
    with pytest.raises(RunError, match="at least 1 pixel"):
        extractor(0)
