"""Backbones of random weights, with adapters too, one step of training, and views of noise."""

from typing import Any

import torch

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import RANDOM, AdapterKind, AdapterSettings, BackboneSettings

VIT = BackboneSettings("test_vit", RANDOM)
"""timm's smallest vision transformer."""

KINDS: tuple[AdapterKind, ...] = ("lora", "dora", "rslora", "explora")


def random_views(count: int, side: int = 160) -> torch.Tensor:
    """Normalised views of noise, (count, 3, side, side); the same in every call."""
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def adapter_settings(
    kind: AdapterKind = "lora", name: str = "test_vit", **others: Any
) -> BackboneSettings:
    """Adapters of rank 4 and alpha 6, so that no scale is 1, on random weights."""
    adapter = AdapterSettings(kind, rank=4, alpha=6.0)
    settings: dict[str, Any] = {"trained": "adapters", "adapter": adapter, "side": 64}
    return BackboneSettings(name, RANDOM, **(settings | others))


def perturbed(settings: BackboneSettings) -> Backbone:
    """A backbone in evaluation mode, every trained parameter of which was moved by noise."""
    backbone = load_backbone(settings, "cpu").eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in backbone.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.05)
    return backbone


def trained_one_step(settings: BackboneSettings) -> Backbone:
    """A backbone after one step of gradient descent in training mode."""
    backbone = load_backbone(settings, "cpu")
    optimizer = torch.optim.SGD([p for p in backbone.parameters() if p.requires_grad], lr=0.1)
    backbone(random_views(4, 64)).square().sum().backward()
    optimizer.step()
    return backbone
