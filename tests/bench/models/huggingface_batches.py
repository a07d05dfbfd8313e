"""Images a second of a transformers classifier by how many go through it at once.

Random weights at 224 px, in float32; as a replay asks, image processor included, from images that
are rebuilt already. On a GPU by the clock; elsewhere by one core's seconds, of which other programs
take none. `prepare` is the image processor alone, on one core.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import ResNetConfig, ViTConfig, ViTImageProcessor

from data.terminal import print_table
from replay.candidates.float32 import processor_name
from replay.candidates.huggingface import HuggingFaceModel, load_hugging_face
from replay.candidates.predictor import Batch
from tests.gpu.drawn_images import draw_image

SIZES = (1, 8, 32)
IMAGES = 32
REPEATS = 2
ON_GPU = torch.cuda.is_available()
LABELS = {0: "none", 1: "roadwork"}


def saved(folder: Path, config: Any) -> str:
    """A random classifier and its image processor; the name that loads it."""
    torch.manual_seed(0)
    auto: Any = transformers.AutoModelForImageClassification
    auto.from_config(config).save_pretrained(folder)
    ViTImageProcessor().save_pretrained(folder)
    return f"hf:{folder}"


def drawn(count: int) -> Batch:
    """Images as miners see them, 224 x 224."""
    images = [draw_image(224, 224, seed, roadwork=seed % 2 == 0) for seed in range(count)]
    return Batch([str(place) for place in range(count)], images)


def fastest(works: Sequence[Callable[[], object]]) -> list[float]:
    """Seconds of each work, the fastest of some rounds in turn, so that noise meets all alike."""
    seconds = [
        [_seconds(work) for work in works]
        for _ in range(REPEATS + 1)  # the first warms up
    ]
    return [min(column) for column in zip(*seconds[1:], strict=True)]


def _seconds(work: Callable[[], object]) -> float:
    clock = time.perf_counter if ON_GPU else time.process_time
    start = clock()
    work()
    return clock() - start


def prepared_seconds(candidate: HuggingFaceModel, batch: Batch) -> float:
    """Seconds for the image processor alone, an image after the other."""
    (seconds,) = fastest(
        [lambda: [candidate.processor(images=i, return_tensors="pt") for i in batch.images]]
    )
    return seconds


def main() -> None:
    """Print the table of two architectures."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _measure(drawn(IMAGES))
    finally:
        torch.set_num_threads(threads)


def _measure(batch: Batch) -> None:
    rows: list[tuple[object, ...]] = []
    base = ViTConfig(id2label=LABELS)
    small = ViTConfig(
        hidden_size=384, num_attention_heads=6, intermediate_size=1536, id2label=LABELS
    )
    vit = ("ViT-B/16", base) if ON_GPU else ("ViT-S/16", small)
    models = dict([vit, ("ResNet-50", ResNetConfig(id2label=LABELS))])
    for title, config in models.items():
        with tempfile.TemporaryDirectory() as folder:
            name = saved(Path(folder), config)
            candidates = [load_hugging_face(name, size) for size in SIZES]
        seconds = fastest([lambda c=c: c.predict(batch) for c in candidates])  # type: ignore[misc]
        alone = candidates[0].predict(batch).probability
        for candidate, each in zip(candidates, seconds, strict=True):
            apart = np.abs(candidate.predict(batch).probability - alone).max()
            rows.append(
                (title, candidate.batch_size, IMAGES / each, seconds[0] / each, f"{apart:.1e}")
            )
        rows.append((title, "prepare", IMAGES / prepared_seconds(candidates[0], batch), "", ""))
    device = next(candidates[0].model.parameters()).device
    print_table(
        f"{IMAGES} images at 224 px on {processor_name(device)}",
        ("model", "images at once", "images/s", "x", "probability differs by at most"),
        rows,
    )


if __name__ == "__main__":
    main()
