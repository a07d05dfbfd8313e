"""Throughput on the device: images a second, and the share of its measured bf16 product rate.

`python -m tests.gpu.throughput` prints it alone, in a few minutes on a GPU; `--device cpu --quick`
tries the script on a processor.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.compiled_blocks import compiles_blocks, uncompiled
from model.backbone.features import FeatureMaker
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import Checkpoint
from model.checkpoint.predictor import CheckpointPredictor
from model.network.settings import ModelSettings, Precision
from model.network.street_model import StreetModel
from model.views.views import VIEWS, ViewExtractor
from replay.candidates.huggingface import load_hugging_face
from replay.candidates.predictor import Batch, Image
from tests.gpu.attention_kernels import kernels_that_ran
from tests.gpu.check import TERA, Target, product_rate, seconds_of
from tests.gpu.check_backbone import loaded, random_views
from tests.gpu.drawn_images import draw_image
from tests.gpu.training_throughput import largest_settings, loader_line, step_line


def throughput_lines(target: Target) -> Iterator[str]:
    """One line of text for each measurement; one that fails says so, and the others go on."""
    rate = product_rate(target)
    yield f"bf16 product, the fastest: {rate / TERA:.1f} TFLOP/s"
    works: list[Callable[[], str]] = [partial(_largest_line, target, rate)]
    works += [partial(_usual_line, target, rate, precision) for precision in _precisions()]
    works += [partial(_views_line, target), partial(_replay_line, target, rate)]
    works += [partial(_candidate_line, target, rate), partial(_transformers_line, target)]
    works += [partial(step_line, target, rate), partial(loader_line, target, rate)]
    for work in works:
        try:
            yield work()
        except Exception as error:  # noqa: BLE001  (device time is scarce: the others go on)
            yield " ".join(f"not measured: {type(error).__name__}: {error}".split())
        # what a failed measurement held is free for the next
        with suppress(RuntimeError):
            torch.cuda.empty_cache()


def _precisions() -> tuple[Precision, Precision]:
    return "fp32", "bf16"


def _usual(target: Target) -> str:
    return "test_vit" if target.quick else "vit_base_patch16_dinov3"


@cache
def _largest(target: Target) -> Backbone:
    """On a GPU the largest backbone, of random weights; elsewhere a tiny one in its place.

    One for all lines: its weights take half a minute to draw.
    """
    return load_backbone(largest_settings(target), target.device)


def _largest_line(target: Target, rate: float) -> str:
    backbone = _largest(target)
    with uncompiled():
        plain = _backbone_line(target, backbone, rate)
    if not compiles_blocks(backbone.precision, target.device):
        return plain
    return f"{plain}\n{_backbone_line(target, backbone, rate)}; compiled blocks"


def _usual_line(target: Target, rate: float, precision: Precision) -> str:
    return _backbone_line(target, loaded(_usual(target), target.device, precision), rate)


def _backbone_line(target: Target, backbone: Backbone, rate: float) -> str:
    views = random_views(backbone, VIEWS * (1 if target.quick else 16)).to(target.device)

    def forward() -> None:
        with torch.inference_mode():
            backbone(views)

    seconds = seconds_of(target, forward)
    count, done = len(views) / VIEWS, len(views) * _flops(backbone) / seconds
    kernels = ", ".join(f"{name} x {times}" for name, times in kernels_that_ran(forward).items())
    return (
        f"{backbone.settings.name} at {backbone.side} px in {backbone.precision}: "
        f"{count / seconds:.1f} images/s of {VIEWS} views, {done / TERA:.2f} TFLOP/s, "
        f"{done / rate:.1%} of the bf16 product; attention: {kernels or 'none'}"
    )


def _images(target: Target) -> list[Image]:
    count = 4 if target.quick else 256
    return [draw_image(224, 224, seed % 8, roadwork=True) for seed in range(count)]


def _views_line(target: Target) -> str:
    images = _images(target)
    extractor = ViewExtractor(loaded(_usual(target), target.device).views)
    seconds = seconds_of(target, lambda: extractor.of_images_on(images, target.device))
    return f"views: {len(images) / seconds:.1f} images/s"


def _replay_line(target: Target, rate: float) -> str:
    images, backbone = _images(target), loaded(_usual(target), target.device)
    seconds = seconds_of(target, lambda: _answer(target, backbone, images))
    share = VIEWS * _flops(backbone) * len(images) / seconds / rate
    return (
        f"views, {_usual(target)} and model in fp32, as a replay: "
        f"{len(images) / seconds:.1f} images/s, {share:.1%} of the bf16 product"
    )


def _answer(target: Target, backbone: Backbone, images: list[Image]) -> None:
    features = FeatureMaker(backbone).features(images)
    model = StreetModel(ModelSettings(features=backbone.width)).to(target.device).eval()
    with torch.inference_mode():
        model(features.to(target.device)).logits.cpu()


def _candidate_line(target: Target, rate: float) -> str:
    """A checkpoint of the largest backbone, from decoded images to probabilities as in a replay.

    Beside its backbone alone, in the same batches, on views that lie on the device.
    """
    backbone, images = _largest(target), _images(target)
    settings = ModelSettings(features=backbone.width, precision=backbone.precision)
    checkpoint = Checkpoint(StreetModel(settings).eval(), card_of(settings, backbone, {}), "0", {})
    candidate = CheckpointPredictor(checkpoint, backbone, "measured")
    batch = _batch(images)
    views = random_views(backbone, VIEWS * len(images)).to(target.device)
    seconds = seconds_of(target, lambda: candidate.predict(batch), times=3)
    alone = seconds_of(target, lambda: backbone.features(views), times=3)
    share = VIEWS * _flops(backbone) * len(images) / seconds / rate
    return (
        f"checkpoint of {backbone.settings.name} in {backbone.precision}, images to answers: "
        f"{len(images) / seconds:.1f} images/s, {alone / seconds:.1%} of the backbone alone, "
        f"{share:.1%} of the bf16 product"
    )


def _transformers_line(target: Target) -> str:
    """A transformers ViT-B as an `hf:` candidate, its image processor included, by batch size."""
    tiny: dict[str, Any] = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2}
    config = ViTConfig(id2label={0: "none", 1: "roadwork"}, **(tiny if target.quick else {}))
    batch = _batch(_images(target))
    rates = []
    with TemporaryDirectory() as folder:
        ViTForImageClassification(config).save_pretrained(folder)
        ViTImageProcessor().save_pretrained(folder)
        for size in (1, 4) if target.quick else (1, 8, 32, 128):
            loaded = load_hugging_face(f"hf:{Path(folder)}", size)
            candidate = replace(loaded, model=loaded.model.to(target.device))
            seconds = seconds_of(target, lambda asked=candidate: asked.predict(batch), times=3)  # type: ignore[misc]
            rates.append(f"{size} at once {len(batch.images) / seconds:.1f} images/s")
    return f"transformers ViT, {config.hidden_size} wide, in fp32: {', '.join(rates)}"


def _batch(images: list[Image]) -> Batch:
    return Batch([str(place) for place in range(len(images))], images)


def _flops(backbone: Backbone) -> int:
    """Floating-point operations of a forward pass of one view, as torch counts them."""
    device = next(backbone.parameters()).device
    with uncompiled(), FlopCounterMode(display=False) as counter, torch.inference_mode():
        backbone(random_views(backbone, 1).to(device))
    return int(counter.get_total_flops())


def main() -> None:
    """Print the measurements, each as soon as it is made."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.throughput", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="the smallest models and sizes")
    given = parser.parse_args()
    device = torch.empty(0, device=given.device).device
    for line in throughput_lines(Target(device, given.quick)):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
