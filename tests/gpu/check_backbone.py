"""Backbones on the device against the CPU, and the memory of a forward pass."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import torch

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import ForwardCost, MemorySettings, step_cost
from model.backbone.compiled_blocks import uncompiled
from model.backbone.free_memory import available_bytes
from model.backbone.settings import RANDOM, BackboneSettings
from model.network.settings import Precision
from tests.gpu.check import Target, check, lowered_precision, relative, worst_of

_CPU = torch.device("cpu")
# Bytes that a forward or a step is to need where its memory is measured.
_FILLED = 2**31


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


@check("compiled blocks against plain ones, norm of difference / norm", bf16=1e-2)
def compiled_features(target: Target, precision: Precision) -> float:
    """Fused operations round at other places."""
    worst = 0.0
    for name in target.backbones:
        backbone = loaded(name, target.device, precision)
        views = random_views(backbone, target.images)
        with uncompiled():
            plain = backbone.features(views)
        worst = max(worst, relative(backbone.features(views), plain))
    return worst


@check("backbones without compiled blocks", cuda_only=True, bf16=0)
def not_compiled(target: Target, precision: Precision) -> float:
    """A GPU in bf16 compiles the blocks of each transformer."""
    transformers = [name for name in target.backbones if "vit" in name]
    backbones = [loaded(name, target.device, precision) for name in transformers]
    for backbone in backbones:
        backbone.features(random_views(backbone, 1))
    return sum(backbone.model.blocks[0]._compiled_call_impl is None for backbone in backbones)


@check("backbones whose forward needs twice its predicted memory", cuda_only=True, fp32=0, bf16=0)
def memory(target: Target, precision: Precision) -> float:
    """Half of the free memory is planned with, so twice as much may be taken."""
    beyond = []
    for name in target.backbones:
        backbone = loaded(name, target.device, precision)
        images = _images_that_fill(backbone.cost)
        views = random_views(backbone, images)
        forward = partial(backbone.features, views, MemorySettings(most=images))
        if not _fits(target, forward, 2 * backbone.cost.peak(images)):
            beyond.append(name)
    return _none_of(beyond)


@check("backbones whose step needs twice its predicted memory", cuda_only=True, fp32=0, bf16=0)
def step_memory(target: Target, precision: Precision) -> float:
    """Of the whole backbone, its activations kept; half of the free memory is planned with."""
    beyond = []
    for name in target.backbones:
        settings = replace(settings_of(name, frozen=False), precision=precision)
        backbone = load_backbone(settings, target.device)
        step = partial(_step, backbone, target.device)
        cost = step_cost(step, [backbone])
        images = _images_that_fill(cost)
        if not _fits(target, partial(step, images), 2 * cost.peak(images)):
            beyond.append(name)
    return _none_of(beyond)


def _none_of(names: list[str]) -> float:
    """Name them in an error, else 0."""
    if names:
        raise RuntimeError(", ".join(names))
    return 0


def _images_that_fill(cost: ForwardCost) -> int:
    """So many that a library's scratch, which does not grow with them, is little beside them."""
    return -(-_FILLED // cost.per_image)


def _fits(target: Target, work: Callable[[], object], most: int) -> bool:
    """Whether the work can be done with so many bytes more than are allocated now.

    cuDNN takes scratch where there is room, up to ten times of what a step needs, and does without
    where there is none: what is allocated at the peak would not tell.
    """
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(target.device).total_memory
    allowed = torch.cuda.memory_reserved(target.device) + most
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total), target.device)
    try:
        work()
    except torch.OutOfMemoryError:
        return False
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, target.device)
    return True


def _step(backbone: Backbone, device: torch.device, count: int) -> None:
    views = torch.ones(count, 3, backbone.side, backbone.side, device=device)
    torch.autograd.backward(backbone(views).square().sum())
    backbone.zero_grad()


@check("free memory beyond the device's", cuda_only=True, fp32=0)
def free_memory(target: Target, _: Precision) -> float:
    """In bytes; what torch holds and does not use is free."""
    held = torch.empty(2**28, dtype=torch.uint8, device=target.device)
    total = torch.cuda.get_device_properties(target.device).total_memory
    beyond = available_bytes(target.device) - (total - held.numel())
    return float(max(0, beyond))


CHECKS = (
    features,
    features_again,
    compiled_features,
    not_compiled,
    fingerprints,
    memory,
    step_memory,
    free_memory,
)
