"""Backbones on the device against the CPU, and the memory of a forward pass."""

from functools import cache

import torch

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.free_memory import available_bytes
from model.backbone.settings import RANDOM, BackboneSettings
from tests.gpu.check import Precision, Target, check, relative, worst_of

_CPU = torch.device("cpu")


@cache
def loaded(name: str, device: torch.device) -> Backbone:
    """A frozen backbone of random weights, the same on every device."""
    return load_backbone(settings_of(name), device)


def settings_of(name: str, *, frozen: bool = True) -> BackboneSettings:
    """Random weights, and small views where the backbone is a tiny one."""
    side = 64 if name.startswith("test_") else 224
    return BackboneSettings(name, RANDOM, side, trained="none" if frozen else "all")


def random_views(backbone: Backbone, count: int) -> torch.Tensor:
    """(count, 3, side, side) on the CPU."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, backbone.side, backbone.side, generator=generator)


@check("features of three backbones, norm of difference / norm", float32=5e-5, bfloat16=5e-2)
def features(target: Target, precision: Precision) -> float:
    """TF32 alone would be 3e-4 and more."""
    worst = 0.0
    for name in target.backbones:
        here, there = loaded(name, _CPU), loaded(name, target.device)
        views = random_views(here, target.images)
        with target.autocast(precision):
            found = there.features(views)
        worst = max(worst, relative(found, here.features(views)))
    return worst


@check("features made twice", float32=0)
def features_again(target: Target, _: Precision) -> float:
    """A device repeats itself, bit by bit."""
    pairs = []
    for name in target.backbones:
        backbone = loaded(name, target.device)
        views = random_views(backbone, target.images)
        pairs.append((backbone.features(views), backbone.features(views)))
    return worst_of(pairs)


@check("fingerprints that differ between devices", float32=0)
def fingerprints(target: Target, _: Precision) -> float:
    """A checkpoint of one device is that of the other."""
    return sum(
        loaded(name, _CPU).fingerprint != loaded(name, target.device).fingerprint
        for name in target.backbones
    )


@check("memory of a forward, measured / predicted", cuda_only=True, float32=2)
def memory(target: Target, _: Precision) -> float:
    """Half of the free memory is planned with, so twice as much may be taken."""
    worst = 0.0
    for name in target.backbones:
        backbone = loaded(name, target.device)
        predicted = backbone.cost.peak(target.images)
        views = random_views(backbone, target.images)
        backbone.features(views)  # libraries' handles and scratch come once
        before = torch.cuda.memory_allocated(target.device)
        torch.cuda.reset_peak_memory_stats(target.device)
        backbone.features(views)
        used = torch.cuda.max_memory_allocated(target.device) - before
        worst = max(worst, used / predicted)
    return worst


@check("free memory beyond the device's", cuda_only=True, float32=0)
def free_memory(target: Target, _: Precision) -> float:
    """In bytes; what torch holds and does not use is free."""
    held = torch.empty(2**28, dtype=torch.uint8, device=target.device)
    total = torch.cuda.get_device_properties(target.device).total_memory
    beyond = available_bytes(target.device) - (total - held.numel())
    return float(max(0, beyond))


CHECKS = (features, features_again, fingerprints, memory, free_memory)
