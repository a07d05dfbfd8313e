"""Backbones alone, on views that lie on the device; the largest is that of all other stages."""

from collections.abc import Iterator
from functools import cache, partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.compiled_blocks import compiles_blocks, uncompiled
from model.network.settings import Precision
from model.views.views import VIEWS, ViewExtractor
from replay.candidates.predictor import Image
from tests.bench.devices.measurements import Measurement
from tests.bench.devices.training import largest_settings
from tests.gpu.attention_kernels import kernels_that_ran
from tests.gpu.check import Target, seconds_of
from tests.gpu.check_backbone import loaded, random_views
from tests.gpu.drawn_images import draw_image

_PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")


@cache
def largest(target: Target) -> Backbone:
    """On a GPU the largest backbone, of random weights; elsewhere a tiny one in its place.

    One for all stages: its weights take half a minute to draw.
    """
    return load_backbone(largest_settings(target), target.device)


@cache
def largest_alone(target: Target) -> float:
    """Seconds of the largest backbone for an image, in batches as `Backbone.features` makes."""
    backbone, images = largest(target), 2 if target.quick else 64
    views = random_views(backbone, VIEWS * images).to(target.device)
    return seconds_of(target, lambda: backbone.features(views), times=3) / images


@cache
def operations(target: Target) -> int:
    """Of the largest backbone for an image."""
    return VIEWS * flops(largest(target))


def largest_stage(target: Target, rate: float) -> Iterator[Measurement]:
    """The largest backbone without compiled blocks, and with them."""
    backbone = largest(target)
    if compiles_blocks(backbone.precision, target.device):
        with uncompiled():
            yield _alone(target, backbone, rate, "not compiled")
    name = f"{_name(backbone)} alone"
    seconds = largest_alone(target)
    share = operations(target) / seconds / rate
    yield Measurement(name, 2 if target.quick else 64, 1 / seconds, 1.0, share)


def usual_stage(target: Target, rate: float) -> Iterator[Measurement]:
    """A usual backbone in both precisions, and the views of its images."""
    name = "test_vit" if target.quick else "vit_base_patch16_dinov3"
    for precision in _PRECISIONS:
        yield _alone(target, loaded(name, target.device, precision), rate, "")
    images = drawn(target)
    extractor = ViewExtractor(loaded(name, target.device).views)
    seconds = seconds_of(target, partial(extractor.of_images_on, images, target.device))
    yield Measurement(f"views of {VIEWS} alone", len(images), len(images) / seconds)


def drawn(target: Target) -> list[Image]:
    """Images as miners see them."""
    count = 4 if target.quick else 256
    return [draw_image(224, 224, seed % 8, roadwork=True) for seed in range(count)]


def flops(backbone: Backbone) -> int:
    """Floating-point operations of a forward pass of one view, as torch counts them."""
    device = next(backbone.parameters()).device
    with uncompiled(), FlopCounterMode(display=False) as counter, torch.inference_mode():
        backbone(random_views(backbone, 1).to(device))
    return int(counter.get_total_flops())


def _alone(target: Target, backbone: Backbone, rate: float, note: str) -> Measurement:
    images = 1 if target.quick else 16
    views = random_views(backbone, VIEWS * images).to(target.device)

    def forward() -> None:
        with torch.inference_mode():
            backbone(views)

    seconds = seconds_of(target, forward)
    kernels = ", ".join(f"{name} x {times}" for name, times in kernels_that_ran(forward).items())
    share = len(views) * flops(backbone) / seconds / rate
    notes = [*([note] if note else []), f"attention: {kernels or 'none'}"]
    return Measurement(
        f"{_name(backbone)} alone", images, images / seconds, None, share, "; ".join(notes)
    )


def _name(backbone: Backbone) -> str:
    return f"{backbone.settings.name} at {backbone.side} px in {backbone.precision}"
