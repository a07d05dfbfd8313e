"""timm's smallest vision transformer with random weights, and views of noise for it."""

import torch

from model.backbone.settings import RANDOM, BackboneSettings

VIT = BackboneSettings("test_vit", RANDOM)


def random_views(count: int, side: int = 160) -> torch.Tensor:
    """Normalised views of noise, (count, 3, side, side); the same in every call."""
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))
