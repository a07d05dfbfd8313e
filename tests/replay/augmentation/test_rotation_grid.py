"""The sampling grid against torchvision's matrix product, and its rounding against grid_sample."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torchvision.transforms import functional as F  # noqa: N812

from replay.augmentation.crop_kernel import nearest_pixel
from replay.augmentation.rotation_grid import cosine_and_sine, frame_grid
from replay.settings import Arithmetic
from tests.replay.augmentation.torchvision_chain import (
    TORCH_FUSES,
    angles,
    arithmetics,
    grid_by,
    sum_rounded_once,
)


@settings(max_examples=60, deadline=None)
@example(height=7, width=2, angle=180.0, arithmetic=Arithmetic.AVX512)
@given(st.integers(1, 1500), st.integers(1, 1500), angles, arithmetics)
def test_the_grid_is_that_of_a_matrix_product_of_the_whole_frame(
    height: int, width: int, angle: float, arithmetic: Arithmetic
) -> None:
    turn = _functional_matrix(angle)
    expected = grid_by(arithmetic)(turn, width, height, width, height)[0].numpy()
    frame = frame_grid(angle, height, width, arithmetic)
    # float64 holds such a product whole, so that its sum rounded once is a fused operation
    products = frame.rows.astype(np.float64) * frame.slopes[:, None]
    places = sum_rounded_once(frame.columns[:, None, :], products[:, :, None])
    assert np.array_equal(places.transpose(1, 2, 0), expected)


def _functional_matrix(angle: float) -> torch.Tensor:
    """torchvision's, as `rotate` makes it: (1, 2, 3)."""
    found = F._get_inverse_affine_matrix([0.0, 0.0], -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    return torch.tensor(found).reshape(1, 2, 3)


@given(st.one_of(angles, st.floats(-360, 360)))
def test_sine_and_cosine_are_the_c_librarys_to_the_last_bit_but_one(angle: float) -> None:
    turn = np.radians(-angle)
    for found, expected in zip(
        cosine_and_sine(float(turn)), (np.cos(turn), np.sin(turn)), strict=True
    ):
        assert abs(found - expected) <= np.spacing(abs(expected))


def test_sine_and_cosine_are_rounded_once() -> None:
    """Known to more digits than float64 holds (Abramowitz and Stegun, table 4.6: of 1 radian)."""
    assert cosine_and_sine(1.0) == (0.54030230586813971740, 0.84147098480789650665)
    assert cosine_and_sine(0.0) == (1.0, 0.0)


@pytest.mark.parametrize("length", [1, 2, 97, 224, 1023, 1024, 4032])
def test_coordinates_next_to_a_boundary_round_as_grid_sample_rounds_them(length: int) -> None:
    """Within 4 float32 steps of all boundaries of pixels; halves go to the even neighbour."""
    boundaries = 2 * torch.arange(1, length, dtype=torch.float64) / length - 1
    places = (boundaries + torch.arange(-4, 5)[:, None] * 2.0**-24).float().flatten()
    line = torch.arange(float(length))[None, None, None]
    grid = torch.stack((places, torch.zeros_like(places)), dim=-1)[None, None]
    expected = torch.nn.functional.grid_sample(line, grid, mode="nearest", align_corners=False)
    half = np.float32(length / 2)
    found = np.array([nearest_pixel(place, half) for place in places.numpy()], np.float32)
    differing = np.count_nonzero(found != expected.flatten().numpy())
    assert differing == 0 or not TORCH_FUSES
    assert np.abs(found - expected.flatten().numpy()).max(initial=0) <= 1
