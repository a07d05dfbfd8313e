"""Images a second, and which share of what the device can multiply that is."""

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
from tests.gpu.check import Precision, Setting
from tests.gpu.check_backbone import loaded, random_views
from tests.gpu.pictures import picture

_TERA = 1e12


def lines(setting: Setting) -> Iterator[str]:
    """A line for a person each."""
    rate = _product_rate(setting)
    yield f"bf16 product of {_side(setting)} x {_side(setting)}: {rate / _TERA:.1f} TFLOP/s"
    name = "test_vit" if setting.quick else "vit_base_patch16_dinov3"
    count = 4 if setting.quick else 256
    images = [picture(224, 224, seed % 8, roadwork=True) for seed in range(count)]
    backbone = loaded(name, setting.device)
    extractor = ViewExtractor(backbone.views)
    yield _images_line(
        "views", count, _seconds(setting, lambda: extractor.of_images_on(images, setting.device))
    )
    flops = _flops(backbone)
    for precision in ("float32", "bfloat16"):
        yield _backbone_line(setting, backbone, name, precision, flops, rate)
    seconds = _seconds(setting, lambda: _answer(setting, backbone, images))
    yield _images_line(f"views, {name} and model in float32, as a replay", count, seconds)
    yield f"  {VIEWS * flops * count / seconds / rate:.1%} of the bf16 product"


def _backbone_line(
    setting: Setting,
    backbone: Backbone,
    name: str,
    precision: Precision,
    flops: int,
    rate: float,
) -> str:
    views = random_views(backbone, VIEWS * (1 if setting.quick else 16)).to(setting.device)

    def forward() -> None:
        with torch.inference_mode(), setting.lowered(precision):
            backbone(views)

    seconds = _seconds(setting, forward)
    count, done = len(views) / VIEWS, len(views) * flops / seconds
    return (
        f"{name} in {precision}: {count / seconds:.1f} images/s of {VIEWS} views, "
        f"{done / _TERA:.2f} TFLOP/s, {done / rate:.1%} of the bf16 product"
    )


def _answer(setting: Setting, backbone: Backbone, images: list[Image]) -> None:
    features = FeatureMaker(backbone).features(images)
    model = StreetModel(ModelSettings(features=backbone.width)).to(setting.device).eval()
    with torch.inference_mode():
        model(features.to(setting.device)).logits.cpu()


def _images_line(what: str, count: int, seconds: float) -> str:
    return f"{what}: {count / seconds:.1f} images/s"


def _flops(backbone: Backbone) -> int:
    """Of one view."""
    device = next(backbone.parameters()).device
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        backbone(random_views(backbone, 1).to(device))
    return int(counter.get_total_flops())


def _side(setting: Setting) -> int:
    return 256 if setting.quick else 8192


def _product_rate(setting: Setting) -> float:
    """Operations a second of a bf16 product of random square matrices."""
    side = _side(setting)
    first, second = (
        torch.randn(side, side, device=setting.device, dtype=torch.bfloat16) for _ in range(2)
    )
    return float(2 * side**3 / _seconds(setting, lambda: first @ second))


def _seconds(setting: Setting, work: Callable[[], object], times: int = 5) -> float:
    """The median of some runs, after two that warm up."""
    taken = []
    for _ in range(2 + times):
        _wait(setting)
        start = time.perf_counter()
        work()
        _wait(setting)
        taken.append(time.perf_counter() - start)
    return sorted(taken[2:])[times // 2]


def _wait(setting: Setting) -> None:
    if setting.device.type == "cuda":
        torch.cuda.synchronize(setting.device)
