import numpy as np
import torch
from scipy.special import erf

from model.network.pyramid import WidthPyramid


def test_the_full_pyramid_is_512_256_128_to_512() -> None:
    pyramid = WidthPyramid(512)
    widths = [
        part.out_features
        for part in (pyramid.full_width, pyramid.half_width, pyramid.quarter_width)
    ]
    assert widths == [512, 256, 128]
    assert (pyramid.fuse.in_features, pyramid.fuse.out_features) == (512 + 256 + 128, 512)


def test_it_is_the_plain_formula_in_float64() -> None:
    torch.manual_seed(0)
    pyramid = WidthPyramid(16).double()
    x = torch.randn(2, 3, 16, dtype=torch.float64)
    w = {name: value.detach().numpy() for name, value in pyramid.named_parameters()}
    level = x.numpy() / np.sqrt((x.numpy() ** 2).mean(-1, keepdims=True) + 1e-6)
    level = level * w["norm.weight"]
    levels = []
    for name in ("full_width", "half_width", "quarter_width"):
        level = level @ w[f"{name}.weight"].T + w[f"{name}.bias"]
        level = level * 0.5 * (1 + erf(level / np.sqrt(2)))
        levels.append(level)
    expected = x.numpy() + np.concatenate(levels, -1) @ w["fuse.weight"].T + w["fuse.bias"]
    np.testing.assert_allclose(pyramid(x).detach(), expected, rtol=1e-9)


def test_it_is_residual_and_each_view_is_for_itself() -> None:
    torch.manual_seed(1)
    pyramid = WidthPyramid(16)
    x = torch.randn(1, 4, 16)
    with torch.no_grad():
        torch.testing.assert_close(pyramid(x)[:, [2, 0]], pyramid(x[:, [2, 0]]))
        pyramid.fuse.weight.zero_()
        pyramid.fuse.bias.zero_()
        assert torch.equal(pyramid(x), x)
