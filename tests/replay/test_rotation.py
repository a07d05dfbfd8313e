"""Our chain against torchvision's own, byte for byte."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as F  # noqa: N812

from data.records import Augmentation, Geometry
from replay import grid, rotation
from replay.augment import augment
from replay.crop_loops import Floats, Grid
from replay.grid import frame_grid
from replay.rotation import rounded_group
from tests.replay.worlds import picture

Box = tuple[int, int, int, int]
Case = tuple[tuple[int, int], Box]


def torchvision_chain(image: Image.Image, angle: float, box: Box, side: int = 224) -> bytes:
    tensor = F.rotate(F.to_tensor(image.convert("RGB")), angle)
    tensor = F.resized_crop(tensor, *box, size=[side, side], antialias=True)
    return np.asarray(F.to_pil_image(tensor)).tobytes()


def logged_crop(angle: float, box: Box) -> Augmentation:
    return Augmentation(
        geometry=Geometry.CROP,
        aug_level=1,
        angle=angle,
        crop_top=box[0],
        crop_left=box[1],
        crop_height=box[2],
        crop_width=box[3],
    )


sides = st.one_of(st.integers(1, 40), st.integers(1, 700))


def start(draw: st.DrawFn, length: int, part: int) -> int:
    """Where a part of a side starts; at a border often."""
    return draw(st.one_of(st.sampled_from([0, length - part]), st.integers(0, length - part)))


@st.composite
def crops(draw: st.DrawFn) -> Case:
    """A size, and a crop inside it, mostly square; borders and whole sides are drawn often."""
    width, height = draw(sides), draw(sides)
    shorter = min(width, height)
    crop_height = draw(st.one_of(st.just(shorter), st.integers(1, shorter)))
    crop_width = draw(st.one_of(st.just(crop_height), st.integers(1, width)))
    top, left = start(draw, height, crop_height), start(draw, width, crop_width)
    return (width, height), (top, left, crop_height, crop_width)


angles = st.one_of(
    st.sampled_from([0.0, -0.0, 20.0, -20.0, 45.0, 90.0, 180.0, 1e-7]), st.floats(-180, 180)
)


def level_1_equals_torchvision(case: Case, angle: float, seed: int) -> None:
    size, box = case
    image = picture(size, seed=seed)
    rebuilt = augment(image, logged_crop(angle, box))
    assert rebuilt.tobytes() == torchvision_chain(image, angle, box)


def hold(examples: int) -> None:
    law = given(crops(), angles, st.integers(0, 9))(level_1_equals_torchvision)
    settings(max_examples=examples, deadline=None)(law)()


def test_level_1_equals_torchvision_for_any_size_angle_and_crop() -> None:
    hold(200)


@pytest.mark.slow
def test_level_1_equals_torchvision_ten_thousand_times() -> None:
    hold(10_000)


def test_level_1_equals_torchvision_where_the_loops_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rotation, "rounded_group", lambda: None)
    hold(40)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_level_1_equals_torchvision_in_any_mode(mode: str) -> None:
    image, box = picture((301, 203), mode), (3, 97, 199, 199)
    assert augment(image, logged_crop(7.3, box)).tobytes() == torchvision_chain(image, 7.3, box)


@pytest.mark.parametrize("size", [(1920, 1080), (4032, 3024), (1023, 767), (5000, 4000)])
def test_level_1_equals_torchvision_at_the_sizes_of_the_data_set(size: tuple[int, int]) -> None:
    image = picture(size)
    rng = np.random.default_rng(size[0])
    for angle in rng.uniform(-20, 20, 3):
        side = int(rng.integers(min(size) // 2, min(size)))
        top, left = (int(rng.integers(0, length - side + 1)) for length in size[::-1])
        box = (top, left, side, side)
        expected = torchvision_chain(image, float(angle), box)
        assert augment(image, logged_crop(float(angle), box)).tobytes() == expected


@pytest.mark.parametrize("side", [1, 97, 224, 448, 700])
def test_another_side_equals_torchvision_at_that_side(side: int) -> None:
    image, box = picture((640, 403)), (5, 131, 391, 391)
    rebuilt = augment(image, logged_crop(-11.7, box), side)
    assert rebuilt.shape == (side, side, 3)
    assert rebuilt.tobytes() == torchvision_chain(image, -11.7, box, side)
    centre = F.resize(F.center_crop(image, [403, 403]), [side, side])
    level_0 = Augmentation(geometry=Geometry.CROP, aug_level=0)
    assert augment(image, level_0, side).tobytes() == np.asarray(centre).tobytes()


def logged_letterbox(width: int, height: int, **changes: Any) -> Augmentation:
    """What a validator of era E9 logs for a picture of this size; it holds a pixel at least."""
    scale = min(224 / width, 224 / height)
    new_height, new_width = int(height * scale), int(width * scale)
    left, top = (224 - new_width) // 2, (224 - new_height) // 2
    return Augmentation(
        geometry=Geometry.LETTERBOX,
        letterbox_scale=scale,
        letterbox_height=new_height,
        letterbox_width=new_width,
        letterbox_padding=(left, top, 224 - new_width - left, 224 - new_height - top),
        **changes,
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), angles)
def test_letterbox_equals_torchvision_for_any_shape(width: int, height: int, angle: float) -> None:
    scale = min(224 / width, 224 / height)
    new_height, new_width = int(height * scale), int(width * scale)
    if not (new_height and new_width):
        return
    image = picture((width, height))
    logged = logged_letterbox(width, height, aug_level=1, angle=angle)
    boxed = F.pad(F.resize(image, [new_height, new_width]), list(logged.letterbox_padding or ()))
    turned = F.to_pil_image(F.rotate(F.to_tensor(boxed), angle))
    assert augment(image, logged).tobytes() == np.asarray(turned).tobytes()


@pytest.mark.parametrize("size", [(640, 403), (403, 640), (900, 5), (333, 333)])
@pytest.mark.parametrize("side", [1, 97, 448])
def test_a_letterbox_at_another_side_scales_its_edges(size: tuple[int, int], side: int) -> None:
    image = Image.new("RGB", size, "white")
    logged = logged_letterbox(*size, aug_level=0)
    lit = augment(image, logged, side)[..., 0] == 255
    assert lit.shape == (side, side)
    left, top, right, bottom = logged.letterbox_padding or ()
    for axis, (before, after) in ((0, (left, right)), (1, (top, bottom))):
        (found,) = np.nonzero(lit.any(axis=axis))
        assert abs(found[0] - before * side / 224) <= 1
        assert abs(side - 1 - found[-1] - after * side / 224) <= 1
        assert len(found) == found[-1] - found[0] + 1


def test_a_letterbox_at_another_side_is_padded_before_it_is_turned() -> None:
    image, side = picture((640, 403)), 448
    still = augment(image, logged_letterbox(640, 403, aug_level=0), side)
    turned = F.to_pil_image(F.rotate(F.to_tensor(Image.fromarray(still)), 13.0))
    logged = logged_letterbox(640, 403, aug_level=1, angle=13.0)
    assert augment(image, logged, side).tobytes() == np.asarray(turned).tobytes()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1500), st.integers(1, 1500), angles)
def test_the_grid_is_that_of_a_matrix_product_of_the_whole_frame(
    height: int, width: int, angle: float
) -> None:
    frame = grid.frame_grid(angle, height, width)
    sums = frame.columns[:, None] + frame.rows[:, :, None]
    equal = np.array_equal(sums, grid.by_bmm(angle, height, width))
    assert equal or not grid.grid_holds()


def test_places_next_to_a_boundary_round_as_grid_sample_rounds_them() -> None:
    wrong = [length for length in range(1, 400) if not grid.rounds_alike(length)]
    assert not (grid.grid_holds() and wrong)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 700), st.integers(0, 9))
def test_a_side_is_resized_as_torch_resizes_it(length: int, side: int, seed: int) -> None:
    """Floats, before the 255 levels of a pixel hide most of what is rounded otherwise."""
    group = rounded_group()
    if group is None:
        return
    noise = np.random.default_rng(seed).integers(0, 256, (7, length, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    found = rotation.by_loops(image, 0.0, (0, 0, 7, length), side, group)
    expected = rotation.by_torchvision(image, 0.0, (0, 0, 7, length), side)
    assert np.array_equal(found, expected)


fused_needs_vectors = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() == "DEFAULT", reason="nothing is fused there"
)


@fused_needs_vectors
def test_the_loops_are_taken_on_this_machine() -> None:
    assert rounded_group() is not None


def nearest_by_a_rounded_product(places: Floats, half: np.float32) -> Floats:
    found: Floats = np.rint((places + np.float32(1)) * half - np.float32(0.5))
    return found


def nearest_with_halves_up(places: Floats, half: np.float32) -> Floats:
    found: Floats = np.floor((places + np.float32(1)) * half)
    return found


def turned_a_little_more(angle: float, height: int, width: int) -> Grid:
    return frame_grid(angle + 1e-5, height, width)


@fused_needs_vectors
@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("nearest", nearest_by_a_rounded_product),
        ("nearest", nearest_with_halves_up),
        ("frame_grid", turned_a_little_more),
    ],
)
def test_another_grid_is_noticed_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, name: str, other: Any
) -> None:
    monkeypatch.setattr(grid, name, other)
    assert rounded_group.__wrapped__() is None


@pytest.mark.parametrize("wrong", [(1, 2), (8, 16), (3, 5, 7), ()])
def test_another_order_of_rounding_is_noticed_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, wrong: tuple[int, ...]
) -> None:
    groups = [group for group in wrong if group != rounded_group()]
    monkeypatch.setattr(rotation, "GROUPS", groups)
    assert rounded_group.__wrapped__() is None
