"""Throughput of training with adapters: a step alone, and end to end with the loader.

On a GPU the largest backbone, of random weights at 224 px, with gradient checkpointing, 12 views of
32 images at a step; elsewhere a tiny one in its place.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from data.machine.processes import cores
from model.backbone.backbone import load_backbone
from model.backbone.compiled_blocks import compiles_blocks, uncompiled
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.batch import Batch, row_table
from model.datasets.loaders import training_loader, worker_count
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.optimization.batch_loss import BatchLoss
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.optimizer import make_optimizer
from model.views.views import VIEWS
from replay.candidates.float32 import exact_float32
from tests.bench.devices.measurements import Measurement
from tests.gpu.check import Target, seconds_of, wait
from tests.gpu.drawn_images import DrawnImages, training_rows

_LARGEST, _SIDE = "vit_huge_plus_patch16_dinov3", 224
# The first of them fill the loader's queue and the device's libraries.
_WARM_UP, _TIMED = 3, 8


def largest_settings(target: Target) -> BackboneSettings:
    """The largest backbone on a GPU; elsewhere, or where it is to be quick, a tiny one."""
    if target.device.type == "cuda" and not target.quick:
        return BackboneSettings(_LARGEST, RANDOM, _SIDE, precision="bf16")
    return BackboneSettings("test_vit", RANDOM, 64, precision="bf16")


@dataclass(frozen=True)
class _Training:
    """A model with adapters, its losses and optimiser."""

    model: FullModel
    loss: BatchLoss
    optimizer: torch.optim.Optimizer

    def step(self, batch: Batch) -> None:
        """Forward, backward and a step of the optimiser."""
        with exact_float32():
            for part in self.loss.parts(self.model, batch, len(batch)):
                torch.autograd.backward(part.total)
        self.optimizer.step()
        self.optimizer.zero_grad()


@cache
def _training(target: Target) -> _Training:
    """One for all lines: the largest backbone's weights take half a minute to draw."""
    largest = largest_settings(target)
    settings = BackboneSettings(
        largest.name,
        RANDOM,
        largest.side,
        trained="adapters",
        checkpointing=True,
        precision="bf16",
    )
    backbone = load_backbone(settings, target.device)
    config = TrainingConfig(
        backbone=settings,
        dataset=DatasetSettings(mixup=0.2),
        model=ModelSettings(features=backbone.width, precision="bf16"),
    )
    street = StreetModel(config.model).to(target.device)
    model = FullModel(backbone, street).train()
    return _Training(model, BatchLoss(config), make_optimizer(model, config.optimizer))


def _challenges(target: Target) -> int:
    return 2 if target.quick else 32


def _images(target: Target, batches: int) -> DrawnImages:
    return DrawnImages(row_table(training_rows(batches * _challenges(target))), 0)


def step_stage(target: Target, rate: float) -> Iterator[Measurement]:
    """A step on a batch that lies on the device."""
    training, count = _training(target), _challenges(target)
    batch = _images(target, 1).__getitems__(range(count)).to(target.device)
    seconds = seconds_of(target, lambda: training.step(batch), times=3)
    done, again = _step_flops(training, count)
    yield Measurement(
        _name(training),
        count,
        count / seconds,
        None,
        done / seconds / rate,
        f"{(done - again) / seconds / rate:.1%} without the forward that is done again",
    )


def loader_stage(target: Target, rate: float) -> Iterator[Measurement]:
    """Steps on batches as they come from a loader, whose processes draw, cut and decode images."""
    training, count = _training(target), _challenges(target)
    images = _images(target, _WARM_UP + (2 if target.quick else _TIMED))
    scenes = torch.arange(len(images))
    batches = TrainingBatches(SceneSampler(scenes, 0), scenes, BatchSettings(count), 0)
    workers = worker_count(2 if target.quick else cores())
    seconds = []
    for batch in training_loader(images, batches, workers, target.device):
        training.step(batch)
        wait(target)
        seconds.append(time.perf_counter())
    each = (seconds[-1] - seconds[_WARM_UP - 1]) / (len(seconds) - _WARM_UP)
    done, _ = _step_flops(training, count)
    yield Measurement(
        f"{_name(training)}, end to end",
        count * (len(seconds) - _WARM_UP),
        count / each,
        None,
        done / each / rate,
        f"a loader of {workers} processes",
    )


def _name(training: _Training) -> str:
    backbone = training.model.backbone
    compiled = compiles_blocks(backbone.precision, next(backbone.parameters()).device)
    return (
        f"training {backbone.settings.name} at {backbone.side} px with adapters in bf16"
        f"{', compiled blocks' if compiled else ''}"
    )


def _step_flops(training: _Training, count: int) -> tuple[int, int]:
    """Operations of the backbone in a step, and those of the forward that is done again.

    As torch counts them; those of the model on top are few beside them.
    """
    backbone = training.model.backbone
    views = torch.zeros(
        VIEWS, 3, backbone.side, backbone.side, device=next(backbone.parameters()).device
    )
    with uncompiled(), FlopCounterMode(display=False) as step:
        torch.autograd.backward(backbone(views).sum())
    training.optimizer.zero_grad()
    with uncompiled(), FlopCounterMode(display=False) as forward, torch.no_grad():
        backbone(views)
    return count * int(step.get_total_flops()), count * int(forward.get_total_flops())
