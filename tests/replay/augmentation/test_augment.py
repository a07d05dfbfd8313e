"""Letterboxes against torchvision's own chain, byte for byte."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as F  # noqa: N812

from data.records.types import Augmentation, Geometry
from replay.augmentation.augment import augment
from replay.settings import Arithmetic
from tests.replay.augmentation.torchvision_chain import (
    angles,
    arithmetics,
    assert_equal_images,
    with_grid_by,
)
from tests.worlds.stores import picture


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
@given(st.integers(1, 5000), st.integers(1, 5000), angles, arithmetics)
def test_letterbox_equals_torchvision_for_any_shape(
    width: int, height: int, angle: float, arithmetic: Arithmetic
) -> None:
    scale = min(224 / width, 224 / height)
    new_height, new_width = int(height * scale), int(width * scale)
    if not (new_height and new_width):
        return
    image = picture((width, height))
    logged = logged_letterbox(width, height, aug_level=1, angle=angle)
    boxed = F.pad(F.resize(image, [new_height, new_width]), list(logged.letterbox_padding or ()))
    with with_grid_by(arithmetic):
        turned = F.to_pil_image(F.rotate(F.to_tensor(boxed), angle))
    assert_equal_images(augment(image, logged, arithmetic=arithmetic), np.asarray(turned))


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
    with with_grid_by(Arithmetic.AVX2):
        turned = F.to_pil_image(F.rotate(F.to_tensor(Image.fromarray(still)), 13.0))
    logged = logged_letterbox(640, 403, aug_level=1, angle=13.0)
    assert_equal_images(augment(image, logged, side), np.asarray(turned))
