"""Candidates on a device: a checkpoint's replay end to end, and what its parts and `hf:` take."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

from data.machine.processes import cores
from data.store import Store
from model.backbone.features import open_cache
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import Checkpoint
from model.checkpoint.predictor import CheckpointPredictor
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from replay.candidates.huggingface import HuggingFaceModel, load_hugging_face
from replay.candidates.predictor import Batch
from tests.bench.devices.backbones import drawn, largest, largest_alone, operations
from tests.bench.devices.measurements import Measurement
from tests.gpu.check import Target, seconds_of

_SIDE = 224


class Counted(CheckpointPredictor):
    """A checkpoint that counts the images of each part that it has begun with."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.counts: list[int] = []

    def begin_predict(self, batch: Batch) -> Any:
        begun = super().begin_predict(batch)
        self.counts.append(len(batch.images))
        return begun


def candidate_of(target: Target, store: Store | None = None) -> Counted:
    """A checkpoint of random weights on the largest backbone, with the cache that a replay has."""
    backbone = largest(target)
    settings = ModelSettings(features=backbone.width, precision=backbone.precision)
    checkpoint = Checkpoint(StreetModel(settings).eval(), card_of(settings, backbone, {}), "0", {})
    cache = None if store is None else open_cache(store.features, backbone)
    return Counted(checkpoint, backbone, "measured", cache=cache)


def replay_stage(target: Target, rate: float) -> Iterator[Measurement]:
    """A replay of a drawn store: from JPEG rows in Parquet to parts in Parquet and the warehouse.

    Given also where it is stopped on the way, from what was answered.
    """
    # a Python without what reads logs measures the others
    from replay.runs.planned_run import PlannedRun  # noqa: PLC0415
    from replay.runs.run import Replay  # noqa: PLC0415
    from tests.bench.replays.overlap import all_levels  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        log = all_levels(Path(folder), *((4, 12) if target.quick else (80, 1_200)))
        counted = candidate_of(target, log.store)
        workers = 1 if target.quick else cores()
        replay = Replay(log.store, counted, PlannedRun(log.planned, log.shards))
        done: list[tuple[float, int]] = []
        start = time.perf_counter()

        def on_progress(_: int) -> None:
            done.append((time.perf_counter(), sum(counted.counts[: len(done)])))

        stopped = True
        try:
            replay.run(workers, on_progress)
            stopped = False
        finally:
            if len(done) > 1:
                note = f"{workers} processes rebuild; {done[-1][0] - start:.0f} s from their start"
                yield _replayed(target, rate, done, note + (", stopped" if stopped else ""))


def _replayed(target: Target, rate: float, done: list[tuple[float, int]], note: str) -> Measurement:
    """From the first part's answers to the last's: what starts once is not of the rate."""
    first, last = done[min(1, len(done) - 2)], done[-1]
    images = last[1] - first[1]
    seconds = (last[0] - first[0]) / images
    return Measurement(
        "replay end to end",
        images,
        1 / seconds,
        largest_alone(target) / seconds,
        operations(target) / seconds / rate,
        note,
    )


def checkpoint_stage(target: Target, rate: float) -> Iterator[Measurement]:
    """The same candidate from decoded images to answers: what a replay takes but for rebuilding."""
    images = drawn(target)
    candidate = candidate_of(target)
    batch = _batch(target)
    seconds = seconds_of(target, lambda: candidate.predict(batch), times=3) / len(images)
    yield Measurement(
        "checkpoint, images to answers",
        len(images),
        1 / seconds,
        largest_alone(target) / seconds,
        operations(target) / seconds / rate,
    )


def transformers_stage(target: Target, rate: float) -> Iterator[Measurement]:
    """A transformers ViT-B as an `hf:` candidate, its image processor included, by batch size."""
    tiny: dict[str, Any] = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2}
    config = ViTConfig(id2label={0: "none", 1: "roadwork"}, **(tiny if target.quick else {}))
    batch = _batch(target)
    with TemporaryDirectory() as folder:
        ViTForImageClassification(config).save_pretrained(folder)
        ViTImageProcessor().save_pretrained(folder)
        for size in (1, 4) if target.quick else (1, 8, 32, 128):
            loaded = load_hugging_face(f"hf:{Path(folder)}", size)
            candidate = replace(loaded, model=loaded.model.to(target.device))
            alone, done = _forward(target, candidate)
            count = len(batch.images)
            seconds = seconds_of(target, lambda asked=candidate: asked.predict(batch), times=3)  # type: ignore[misc]
            yield Measurement(
                f"hf: ViT, {config.hidden_size} wide, in fp32, {size} at once",
                count,
                count / seconds,
                alone * count / seconds,
                done * count / seconds / rate,
            )


def _forward(target: Target, candidate: HuggingFaceModel) -> tuple[float, float]:
    """Seconds and operations of the model alone for an image."""
    size = candidate.batch_size
    inputs = torch.zeros(size, 3, _SIDE, _SIDE, device=target.device)

    def forward() -> None:
        with torch.inference_mode():
            candidate.model(pixel_values=inputs)

    with FlopCounterMode(display=False) as counter:
        forward()
    return seconds_of(target, forward, times=3) / size, counter.get_total_flops() / size


def _batch(target: Target) -> Batch:
    images = drawn(target)
    return Batch([str(place) for place in range(len(images))], images)
