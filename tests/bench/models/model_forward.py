"""Time of a forward pass: the model without its backbone, against a small ViT on 12 views."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import timm
import torch

from data.terminal import print_table, say
from model.metadata.tensors import metadata_tensors
from model.network.describe import describe
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.views.views import ViewExtractor, ViewSettings

BACKBONE = "vit_small_patch16_dinov3"
SIDE = 224
REPEATS = 3
BATCHES = (1, 4)
ROW = {
    "gps_lat": 40.7,
    "gps_lon": -74.0,
    "weather": ["Rain", "Fog"],
    "environment": "Urban",
    "daytime": "Dark",
    "scene_description": "Cones close a lane.",
}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _measure(batch: int, backbone: torch.nn.Module, settings: ModelSettings) -> dict[str, float]:
    """Milliseconds a challenge of every part, medians; the parts take turns on one machine."""
    rng = np.random.default_rng(0)
    images = list(rng.integers(0, 256, (batch, SIDE, SIDE, 3), dtype=np.uint8))
    extractor = ViewExtractor(ViewSettings(SIDE, (0.5,) * 3, (0.5,) * 3))
    model, cached = StreetModel(settings).eval(), np.zeros((1, 384), np.float32)
    views = extractor.of_images(images)
    features = torch.randn(batch, settings.views, settings.features)
    rows = [ROW] * batch
    metadata = metadata_tensors(rows, lambda texts: cached.repeat(len(texts), axis=0))
    works: dict[str, Callable[[], object]] = {
        "views": lambda: extractor.of_images(images),
        "metadata": lambda: metadata_tensors(rows, lambda texts: cached.repeat(len(texts), axis=0)),
        "model": lambda: model(features, metadata),
        "backbone": lambda: backbone(views.flatten(0, 1)),
    }
    times: dict[str, list[float]] = {}
    for _ in range(REPEATS + 1):
        for name, work in works.items():
            times.setdefault(name, []).append(1000 * _seconds(work) / batch)
    # the first round compiles the kernel of the views and fills caches
    return {name: statistics.median(part_times[1:]) for name, part_times in times.items()}


def main() -> None:
    """Print milliseconds a challenge of every part, and the share of all but the backbone."""
    backbone: Any = timm.create_model(BACKBONE, pretrained=False, num_classes=0).eval()
    settings = ModelSettings(features=int(backbone.num_features))
    parameters = sum(part.parameters for part in describe(settings))
    say(
        f"{parameters:,} parameters beside {BACKBONE}'s "
        f"{sum(p.numel() for p in backbone.parameters()):,}; CPU, {torch.get_num_threads()} threads"
    )
    with torch.inference_mode():
        measured = {batch: _measure(batch, backbone, settings) for batch in BATCHES}
    print_table(
        f"12 views of {SIDE} px challenges, milliseconds a challenge, medians of {REPEATS}",
        ("batch", "views", "metadata", "model", "backbone", "% of the backbone"),
        [
            (batch, *times.values(), 100 * sum(list(times.values())[:-1]) / times["backbone"])
            for batch, times in measured.items()
        ],
    )


if __name__ == "__main__":
    main()
