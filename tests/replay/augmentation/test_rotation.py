"""Our chain against torchvision's own, byte for byte; its grid is made by either arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import functional as F  # noqa: N812

from data.records.types import Augmentation, Geometry
from replay.augmentation.augment import augment
from replay.settings import Arithmetic
from tests.replay.augmentation.torchvision_chain import (
    Case,
    angles,
    arithmetics,
    assert_equal_images,
    logged_crop,
    torchvision_chain,
    with_grid_by,
)
from tests.worlds.stores import picture

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


def level_1_equals_torchvision(case: Case, angle: float, seed: int, arithmetic: Arithmetic) -> None:
    size, box = case
    image = picture(size, seed=seed)
    rebuilt = augment(image, logged_crop(angle, box), arithmetic=arithmetic)
    with with_grid_by(arithmetic):
        assert_equal_images(rebuilt, torchvision_chain(image, angle, box))


def check_examples(examples: int) -> None:
    test = given(crops(), angles, st.integers(0, 9), arithmetics)(level_1_equals_torchvision)
    settings(max_examples=examples, deadline=None)(test)()


def test_level_1_equals_torchvision_for_any_size_angle_and_crop() -> None:
    check_examples(200)


@pytest.mark.slow
def test_level_1_equals_torchvision_ten_thousand_times() -> None:
    check_examples(10_000)


def local_torchvision_is_one_of_both(case: Case, angle: float) -> None:
    """Whatever library multiplies matrices here: pictures that are not tiny, as logs name them."""
    size, box = case
    image = picture(size)
    there = torchvision_chain(image, angle, box).astype(int)
    differences = [
        np.abs(augment(image, logged_crop(angle, box), arithmetic=a).astype(int) - there)
        for a in Arithmetic
    ]
    # one grey level in a few values, where a pixel next to a boundary falls to the other side
    assert min(np.count_nonzero(one) for one in differences) <= there.size // 50
    assert all(one.mean() <= 1 for one in differences)


def test_this_machines_torchvision_gives_about_the_same() -> None:
    given(
        st.tuples(st.integers(300, 900), st.integers(300, 900)).map(
            lambda size: (size, (10, 20, 240, 240))
        ),
        st.floats(-20, 20),
    )(settings(max_examples=20, deadline=None)(local_torchvision_is_one_of_both))()


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_level_1_equals_torchvision_in_any_mode(mode: str) -> None:
    image, box = picture((301, 203), mode), (3, 97, 199, 199)
    with with_grid_by(Arithmetic.AVX2):
        expected = torchvision_chain(image, 7.3, box)
    assert_equal_images(augment(image, logged_crop(7.3, box)), expected)


@pytest.mark.parametrize("arithmetic", Arithmetic)
@pytest.mark.parametrize("size", [(1920, 1080), (4032, 3024), (1023, 767), (5000, 4000)])
def test_level_1_equals_torchvision_at_the_sizes_of_the_data_set(
    size: tuple[int, int], arithmetic: Arithmetic
) -> None:
    image = picture(size)
    rng = np.random.default_rng(size[0])
    for angle in rng.uniform(-20, 20, 2):
        side = int(rng.integers(min(size) // 2, min(size)))
        top, left = (int(rng.integers(0, length - side + 1)) for length in size[::-1])
        box = (top, left, side, side)
        with with_grid_by(arithmetic):
            expected = torchvision_chain(image, float(angle), box)
        logged = logged_crop(float(angle), box)
        assert_equal_images(augment(image, logged, arithmetic=arithmetic), expected)


@pytest.mark.parametrize("side", [1, 97, 224, 448, 700])
def test_another_side_equals_torchvision_at_that_side(side: int) -> None:
    image, box = picture((640, 403)), (5, 131, 391, 391)
    rebuilt = augment(image, logged_crop(-11.7, box), side)
    assert rebuilt.shape == (side, side, 3)
    with with_grid_by(Arithmetic.AVX2):
        assert_equal_images(rebuilt, torchvision_chain(image, -11.7, box, side))
    centre = F.resize(F.center_crop(image, [403, 403]), [side, side])
    level_0 = Augmentation(geometry=Geometry.CROP, aug_level=0)
    assert augment(image, level_0, side).tobytes() == np.asarray(centre).tobytes()
