"""Throughput on the device: images a second, and the share of its matrix-product rate."""

import time
from collections.abc import Callable, Iterator

import torch
from torch.utils.flop_counter import FlopCounterMode

from model.backbone.backbone import Backbone
from model.backbone.features import FeatureMaker
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.views.views import VIEWS, ViewExtractor
from replay.candidates.predictor import Image
from tests.gpu.check import Precision, Target
from tests.gpu.check_backbone import loaded, random_views
from tests.gpu.drawn_images import draw_image

_TERA = 1e12


def throughput_lines(target: Target) -> Iterator[str]:
    """One line of text for each measurement."""
    rate = _product_rate(target)
    yield f"bf16 product of {_side(target)} x {_side(target)}: {rate / _TERA:.1f} TFLOP/s"
    name = "test_vit" if target.quick else "vit_base_patch16_dinov3"
    count = 4 if target.quick else 256
    images = [draw_image(224, 224, seed % 8, roadwork=True) for seed in range(count)]
    backbone = loaded(name, target.device)
    extractor = ViewExtractor(backbone.views)
    yield _images_line(
        "views", count, _seconds(target, lambda: extractor.of_images_on(images, target.device))
    )
    flops = _flops(backbone)
    for precision in ("float32", "bfloat16"):
        yield _backbone_line(target, backbone, name, precision, flops, rate)
    seconds = _seconds(target, lambda: _answer(target, backbone, images))
    yield _images_line(f"views, {name} and model in float32, as a replay", count, seconds)
    yield f"  {VIEWS * flops * count / seconds / rate:.1%} of the bf16 product"


def _backbone_line(
    target: Target,
    backbone: Backbone,
    name: str,
    precision: Precision,
    flops: int,
    rate: float,
) -> str:
    views = random_views(backbone, VIEWS * (1 if target.quick else 16)).to(target.device)

    def forward() -> None:
        with torch.inference_mode(), target.autocast(precision):
            backbone(views)

    seconds = _seconds(target, forward)
    count, done = len(views) / VIEWS, len(views) * flops / seconds
    return (
        f"{name} in {precision}: {count / seconds:.1f} images/s of {VIEWS} views, "
        f"{done / _TERA:.2f} TFLOP/s, {done / rate:.1%} of the bf16 product"
    )


def _answer(target: Target, backbone: Backbone, images: list[Image]) -> None:
    features = FeatureMaker(backbone).features(images)
    model = StreetModel(ModelSettings(features=backbone.width)).to(target.device).eval()
    with torch.inference_mode():
        model(features.to(target.device)).logits.cpu()


def _images_line(what: str, count: int, seconds: float) -> str:
    return f"{what}: {count / seconds:.1f} images/s"


def _flops(backbone: Backbone) -> int:
    """Floating-point operations of a forward pass of one view."""
    device = next(backbone.parameters()).device
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        backbone(random_views(backbone, 1).to(device))
    return int(counter.get_total_flops())


def _side(target: Target) -> int:
    return 256 if target.quick else 8192


def _product_rate(target: Target) -> float:
    """Operations a second of a bf16 product of random square matrices."""
    side = _side(target)
    first, second = (
        torch.randn(side, side, device=target.device, dtype=torch.bfloat16) for _ in range(2)
    )
    return float(2 * side**3 / _seconds(target, lambda: first @ second))


def _seconds(target: Target, work: Callable[[], object], times: int = 5) -> float:
    """The median of some runs, after two that warm up."""
    seconds = []
    for _ in range(2 + times):
        _wait(target)
        start = time.perf_counter()
        work()
        _wait(target)
        seconds.append(time.perf_counter() - start)
    return sorted(seconds[2:])[times // 2]


def _wait(target: Target) -> None:
    if target.device.type == "cuda":
        torch.cuda.synchronize(target.device)
