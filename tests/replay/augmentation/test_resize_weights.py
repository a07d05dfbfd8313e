"""Weights and order of rounding against torch's antialiased resize."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as F  # noqa: N812

from replay.augmentation.crop_kernel import Floats
from replay.augmentation.resize_weights import resize_weights
from replay.augmentation.rotation import crop_values
from replay.image_regions.frames import DecodedFrame
from replay.settings import Arithmetic
from tests.replay.augmentation.torchvision_chain import TORCH_FUSES


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 700))
def test_weights_are_torchs_own(length: int, resized: int) -> None:
    """Seen in what torch makes of a single 1 among zeros, which nothing rounds."""
    ours = resize_weights(length, resized)
    period = len(ours.by_output)
    held = torch.arange(length) % period == torch.arange(period)[:, None]
    lines = held.float()[None, None]
    sized = torch.nn.functional.interpolate(
        lines, (period, resized), mode="bilinear", align_corners=False, antialias=True
    )
    assert np.array_equal(ours.by_output, sized[0, 0].numpy())


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 700), st.integers(0, 9))
def test_a_side_is_resized_as_torch_resizes_it(length: int, side: int, seed: int) -> None:
    """Floats, before the 255 levels of a pixel hide most of what is rounded otherwise."""
    noise = np.random.default_rng(seed).integers(0, 256, (7, length, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    found = crop_values(DecodedFrame(image), 0.0, (0, 0, 7, length), (7, side), Arithmetic.AVX2)
    values: torch.Tensor = F.resize(F.to_tensor(image), [7, side], antialias=True)
    expected: Floats = values.permute(1, 2, 0).numpy()
    assert np.array_equal(found, expected) or not TORCH_FUSES
    assert np.allclose(found, expected, atol=1e-5)
