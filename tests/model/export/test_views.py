import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from model.export.views import ExportedViews
from model.views.views import ViewExtractor, ViewSettings, view_boxes
from replay.candidates.predictor import Image
from tests.worlds.golden_images import golden_images

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Of normalised values, as `ExportedViews` states it; a grey level is 1.7e-2.
BOUND = 2e-5
# torch's own resize on values of 0..1, see `tests.model.views.test_views`
TORCH_BOUND = 2e-4


def of_settings(side: int) -> ViewSettings:
    return ViewSettings(side, MEAN, STD)


def noise(height: int, width: int) -> Image:
    rng = np.random.default_rng(height * 10_000 + width)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def largest_difference(image: Image, side: int) -> float:
    views = ExportedViews(of_settings(side))(torch.from_numpy(image.copy()))
    expected = ViewExtractor(of_settings(side)).of_images([image])[0]
    assert views.shape == expected.shape == (12, 3, side, side)
    assert views.dtype == torch.float32
    return float((views - expected).abs().max())


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([1, 16, 63, 160]))
@settings(max_examples=60)
def test_views_are_those_of_the_compiled_loops(height: int, width: int, side: int) -> None:
    assert largest_difference(noise(height, width), side) < BOUND


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 700), (224, 224), (2, 3), (9, 10), (1080, 1920), (3024, 4032)]
)
def test_views_of_odd_and_large_sizes(size: tuple[int, int]) -> None:
    assert largest_difference(noise(*size), 64) < BOUND


def test_views_of_golden_images() -> None:
    images = [pixels for one in golden_images((0, 1)) for pixels in one.pixels.values()]
    assert len(images) > 40
    assert max(largest_difference(image, 96) for image in images) < BOUND


@pytest.mark.parametrize("size", [(224, 224), (50, 333), (601, 417)])
def test_views_are_torchs_own_resize(size: tuple[int, int]) -> None:
    image = noise(*size)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].double() / 255
    crops = [pixels[..., a:c, b:d] for a, b, c, d in view_boxes(*size)]
    resized = [F.interpolate(crop, (64, 64), mode="bilinear", antialias=True)[0] for crop in crops]
    mean, std = (torch.tensor(moment).double()[:, None, None] for moment in (MEAN, STD))
    expected = (torch.stack(resized) - mean) / std

    views = ExportedViews(of_settings(64))(torch.from_numpy(image))

    assert float((views - expected).abs().max()) < TORCH_BOUND
