"""Our chain against torchvision's own, byte for byte."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as F  # noqa: N812

from data.records import Augmentation, Geometry
from replay.augment import augment
from tests.replay.worlds import picture


def torchvision_chain(image: Image.Image, angle: float, box: tuple[int, ...]) -> bytes:
    tensor = F.rotate(F.to_tensor(image.convert("RGB")), angle)
    tensor = F.resized_crop(tensor, *box, size=[224, 224], antialias=True)
    return np.asarray(F.to_pil_image(tensor)).tobytes()


@st.composite
def crops(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """A size, and a square crop inside it; borders and whole sides are drawn often."""
    width, height = draw(st.integers(1, 700)), draw(st.integers(1, 700))
    side = draw(st.one_of(st.just(min(width, height)), st.integers(1, min(width, height))))
    top = draw(st.one_of(st.sampled_from([0, height - side]), st.integers(0, height - side)))
    left = draw(st.one_of(st.sampled_from([0, width - side]), st.integers(0, width - side)))
    return (width, height), (top, left, side, side)


angles = st.one_of(
    st.sampled_from([0.0, -0.0, 20.0, -20.0, 45.0, 90.0, 180.0, 1e-7]), st.floats(-180, 180)
)


def level_1_equals_torchvision(
    crop: tuple[tuple[int, int], tuple[int, int, int, int]], angle: float, seed: int
) -> None:
    size, box = crop
    image = picture(size, seed=seed)
    logged = Augmentation(
        geometry=Geometry.CROP,
        aug_level=1,
        angle=angle,
        crop_top=box[0],
        crop_left=box[1],
        crop_height=box[2],
        crop_width=box[3],
    )
    assert augment(image, logged).tobytes() == torchvision_chain(image, angle, box)


def test_level_1_equals_torchvision_for_any_size_angle_and_crop() -> None:
    law = given(crops(), angles, st.integers(0, 9))(level_1_equals_torchvision)
    settings(max_examples=150, deadline=None)(law)()


@pytest.mark.slow
def test_level_1_equals_torchvision_ten_thousand_times() -> None:
    law = given(crops(), angles, st.integers(0, 9))(level_1_equals_torchvision)
    settings(max_examples=10_000, deadline=None)(law)()


@pytest.mark.parametrize("size", [(1920, 1080), (4032, 3024), (1023, 767), (5000, 4000)])
def test_level_1_equals_torchvision_at_the_sizes_of_the_data_set(size: tuple[int, int]) -> None:
    image = picture(size)
    rng = np.random.default_rng(size[0])
    for angle in rng.uniform(-20, 20, 3):
        side = int(rng.integers(min(size) // 2, min(size)))
        top, left = (int(rng.integers(0, length - side + 1)) for length in size[::-1])
        logged = Augmentation(
            geometry=Geometry.CROP,
            aug_level=1,
            angle=float(angle),
            crop_top=top,
            crop_left=left,
            crop_height=side,
            crop_width=side,
        )
        expected = torchvision_chain(image, float(angle), (top, left, side, side))
        assert augment(image, logged).tobytes() == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), angles)
def test_letterbox_equals_torchvision_for_any_shape(width: int, height: int, angle: float) -> None:
    scale = min(224 / width, 224 / height)
    new_height, new_width = int(height * scale), int(width * scale)
    if not (new_height and new_width):
        return
    left, top = (224 - new_width) // 2, (224 - new_height) // 2
    padding = [left, top, 224 - new_width - left, 224 - new_height - top]
    image = picture((width, height))
    logged = Augmentation(
        geometry=Geometry.LETTERBOX,
        aug_level=1,
        angle=angle,
        letterbox_scale=scale,
        letterbox_height=new_height,
        letterbox_width=new_width,
        letterbox_padding=tuple(padding),
    )
    boxed = F.pad(F.resize(image, [new_height, new_width]), padding)
    turned = F.to_pil_image(F.rotate(F.to_tensor(boxed), angle))
    assert augment(image, logged).tobytes() == np.asarray(turned).tobytes()
