"""Backbones on the device against the CPU, and the memory of a forward pass."""

from dataclasses import replace
from functools import cache, partial

import torch

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import step_cost
from model.backbone.free_memory import available_bytes
from model.backbone.settings import RANDOM, BackboneSettings
from model.network.settings import Precision
from tests.gpu.check import Target, check, lowered_precision, relative, worst_of

_CPU = torch.device("cpu")


@cache
def loaded(name: str, device: torch.device, precision: Precision = "fp32") -> Backbone:
    """A frozen backbone of random weights, the same on every device."""
    return load_backbone(replace(settings_of(name), precision=precision), device)


def settings_of(name: str, *, frozen: bool = True) -> BackboneSettings:
    """Random weights, and small views where the backbone is a tiny one."""
    side = 64 if name.startswith("test_") else 224
    return BackboneSettings(name, RANDOM, side, trained="none" if frozen else "all")


def random_views(backbone: Backbone, count: int) -> torch.Tensor:
    """(count, 3, side, side) on the CPU."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, backbone.side, backbone.side, generator=generator)


@check("features of three backbones, norm of difference / norm", fp32=5e-5, bf16=5e-2)
def features(target: Target, precision: Precision) -> float:
    """TF32 alone would be 3e-4 and more."""
    worst = 0.0
    for name in target.backbones:
        here, there = loaded(name, _CPU), loaded(name, target.device, precision)
        views = random_views(here, target.images)
        worst = max(worst, relative(there.features(views), here.features(views)))
    return worst


@check("features made twice, once under autocast and TF32", fp32=0, bf16=0)
def features_again(target: Target, precision: Precision) -> float:
    """A device repeats itself, bit by bit, whatever is around the call."""
    pairs = []
    for name in target.backbones:
        backbone = loaded(name, target.device, precision)
        views = random_views(backbone, target.images)
        plain = backbone.features(views)
        with lowered_precision(target):
            pairs.append((backbone.features(views), plain))
    return worst_of(pairs)


@check("fingerprints that differ between devices", fp32=0)
def fingerprints(target: Target, _: Precision) -> float:
    """A checkpoint of one device is that of the other."""
    return sum(
        loaded(name, _CPU).fingerprint != loaded(name, target.device).fingerprint
        for name in target.backbones
    )


@check("memory of a forward, measured / predicted", cuda_only=True, fp32=2, bf16=2)
def memory(target: Target, precision: Precision) -> float:
    """Half of the free memory is planned with, so twice as much may be taken."""
    worst = 0.0
    for name in target.backbones:
        backbone = loaded(name, target.device, precision)
        predicted = backbone.cost.peak(target.images)
        views = random_views(backbone, target.images)
        backbone.features(views)  # libraries' handles and scratch come once
        before = torch.cuda.memory_allocated(target.device)
        torch.cuda.reset_peak_memory_stats(target.device)
        backbone.features(views)
        used = torch.cuda.max_memory_allocated(target.device) - before
        worst = max(worst, used / predicted)
    return worst


@check("memory of a training step, measured / predicted", cuda_only=True, fp32=2, bf16=2)
def step_memory(target: Target, precision: Precision) -> float:
    """Of the whole backbone, its activations kept; half of the free memory is planned with."""
    worst = 0.0
    for name in target.backbones:
        settings = replace(settings_of(name, frozen=False), precision=precision)
        backbone = load_backbone(settings, target.device)
        step = partial(_step, backbone, target.device)
        predicted = step_cost(step, [backbone]).peak(target.images)
        step(target.images)  # libraries' handles and scratch come once
        backbone.zero_grad()
        before = torch.cuda.memory_allocated(target.device)
        torch.cuda.reset_peak_memory_stats(target.device)
        step(target.images)
        used = torch.cuda.max_memory_allocated(target.device) - before
        worst = max(worst, used / predicted)
    return worst


def _step(backbone: Backbone, device: torch.device, count: int) -> None:
    views = torch.ones(count, 3, backbone.side, backbone.side, device=device)
    torch.autograd.backward(backbone(views).square().sum())


@check("free memory beyond the device's", cuda_only=True, fp32=0)
def free_memory(target: Target, _: Precision) -> float:
    """In bytes; what torch holds and does not use is free."""
    held = torch.empty(2**28, dtype=torch.uint8, device=target.device)
    total = torch.cuda.get_device_properties(target.device).total_memory
    beyond = available_bytes(target.device) - (total - held.numel())
    return float(max(0, beyond))


CHECKS = (features, features_again, fingerprints, memory, step_memory, free_memory)
