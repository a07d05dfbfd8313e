"""Speed of training from kept features: the trainer's loop, bare passes, and the loop before.

Bounds: the loop at most 1.15 x forward and backward on tensors that are there; rows a second at
least 3 x the loop before. `python -m tests.bench.training.steps --help` names the sizes. Core
milliseconds mean something on a crowded machine too; rows a second only on a quiet one.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch

from data.terminal import print_table, say
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.batch import RowTable, row_table
from model.datasets.feature_dataset import AllDraws, FeatureDataset
from model.datasets.loaders import training_loader, validation_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings, Precision
from model.network.street_model import StreetModel
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.losses import soft_labels, training_loss
from model.optimization.settings import OptimizerSettings, TrainSettings
from model.optimization.trainer import Loaders, Trainer
from model.rows.training_row import TrainingRow
from model.views.views import VIEWS
from tests.bench.training.loop_before import epoch_before
from tests.bench.training.options import sizes_from
from tests.model.optimization.toy import cpu_accelerator

STEP_BOUND, AIM = 1.15, 3.0
EMA_DECAY = 0.999
PASSES, BEFORE = "forward and backward", "the loop before"

Epoch = Callable[[], Iterator[object]]
"""Begins an epoch; it gives something after each step."""


@dataclass(frozen=True)
class Sizes:
    """Rows of drawn features, draws kept of each, rows a batch, batches a step; epochs timed."""

    rows: int = 640
    draws: int = 4
    batch_size: int = 32
    accumulation: int = 2
    rounds: int = 5
    bf16: bool = torch.cpu._is_avx512_bf16_supported()
    compile: bool = False


@dataclass(frozen=True)
class Cost:
    """Seconds of a batch by the clock, and of all cores of this process."""

    seconds: float
    core_seconds: float


def drawn_features(sizes: Sizes, width: int) -> tuple[torch.Tensor, RowTable]:
    """Features at random, float32 (rows * draws, 12, width), and their rows."""
    generator = torch.Generator().manual_seed(0)
    rows = [
        TrainingRow("a.parquet", row, row % 2, (1, 1), {"weather": ("Fog",)})
        for row in range(sizes.rows)
    ]
    features = torch.randn(sizes.rows * sizes.draws, VIEWS, width, generator=generator)
    return features, row_table(rows)


def settings(
    sizes: Sizes, precision: Precision = "fp32", *, ema: bool = False, compiled: bool = False
) -> TrainingConfig:
    """The default training of the default model on drawn features."""
    return TrainingConfig(
        training=TrainSettings(
            epochs=sizes.rounds + 1,
            batch_size=sizes.batch_size,
            accumulation_steps=sizes.accumulation,
            compile=compiled,
        ),
        optimizer=OptimizerSettings(ema_decay=EMA_DECAY if ema else 0.0),
        dataset=DatasetSettings(draws=sizes.draws, randaugment=False, cutout=0, mixup=0.0),
        backbone=BackboneSettings("test_resnet", RANDOM, side=32),
        model=ModelSettings(precision=precision),
    )


class TrainerEpochs:
    """Epochs of the trainer; validation, of a single row, is outside of the time."""

    def __init__(self, config: TrainingConfig, features: torch.Tensor, table: RowTable) -> None:
        training = config.training
        self._accumulated = training.accumulation_steps
        sizes = BatchSettings(training.batch_size, self._accumulated, config.dataset.draws)
        batches = TrainingBatches(SceneSampler(table.scenes, 0), table.scenes, sizes, 0)
        dataset = FeatureDataset(features, table, config.dataset.draws)
        one_row = FeatureDataset(features[:1], row_table(table.rows[:1]), 1)
        loaders = Loaders(
            training_loader(dataset, batches, 0, torch.device("cpu")),
            batches,
            validation_loader(AllDraws(one_row, 1), 1),
        )
        backbone = load_backbone(replace(config.backbone, precision=config.model.precision), "cpu")
        model = FullModel(backbone, StreetModel(config.model))
        trainer = Trainer(model, loaders, config, cpu_accelerator(config))
        self._steps: list[tuple[float, float]] = []
        self._epochs = trainer.epochs(stop=self._note_step)

    def _note_step(self) -> bool:
        self._steps.append((time.perf_counter(), time.process_time()))
        return False

    def costs(self) -> list[Cost]:
        """Of the batches of each step of one epoch but its first, their mean."""
        self._steps.clear()
        next(self._epochs)
        return _differences(self._steps, self._accumulated)


class PlainEpochs:
    """Epochs of a plain loop."""

    def __init__(self, epoch: Epoch) -> None:
        self._epoch = epoch

    def costs(self) -> list[Cost]:
        """Of the batches of one epoch but its first."""
        steps = [(time.perf_counter(), time.process_time()) for _ in self._epoch()]
        return _differences(steps, 1)


def _differences(steps: Sequence[tuple[float, float]], batches: int) -> list[Cost]:
    return [
        Cost((end[0] - start[0]) / batches, (end[1] - start[1]) / batches)
        for start, end in pairwise(steps)
    ]


def passes(config: TrainingConfig, features: torch.Tensor, table: RowTable) -> Epoch:
    """Forward and backward of one batch of tensors, again and again."""
    model = StreetModel(config.model).train()
    size = config.training.batch_size
    inputs = features[:: config.dataset.draws][:size].clone()
    labels = soft_labels(table.labels[:size], config.loss.smoothing)
    weather = table.weather[:size]

    def epoch() -> Iterator[None]:
        for _ in range(len(table) // size):
            model.zero_grad()
            losses = training_loss(model(inputs), labels, weather, config.loss)
            torch.autograd.backward(losses.total(config.loss))
            yield

    return epoch


def loops(sizes: Sizes) -> dict[str, dict[str, TrainerEpochs | PlainEpochs]]:
    """By precision and name: what is compared."""
    features, table = drawn_features(sizes, ModelSettings().features)
    kinds: dict[str, dict[str, TrainerEpochs | PlainEpochs]] = {}
    precisions: tuple[Precision, ...] = ("fp32", "bf16") if sizes.bf16 else ("fp32",)
    for precision in precisions:
        kinds[precision] = {
            PASSES: PlainEpochs(passes(settings(sizes, precision), features, table)),
            "trainer": TrainerEpochs(settings(sizes, precision), features, table),
            "trainer, EMA": TrainerEpochs(settings(sizes, precision, ema=True), features, table),
        }
        if sizes.compile:
            config = settings(sizes, precision, compiled=True)
            kinds[precision]["trainer, compiled"] = TrainerEpochs(config, features, table)
    model = StreetModel(ModelSettings())
    before = epoch_before(model, features, table.labels, table.weather, sizes.batch_size)
    kinds["fp32"][BEFORE] = PlainEpochs(before)
    return kinds


def measure(sizes: Sizes) -> dict[str, dict[str, Cost]]:
    """Medians over all steps; the loops take turns, the first epoch of each is not counted."""
    kinds = loops(sizes)
    costs: dict[str, dict[str, list[Cost]]] = {
        precision: {name: [] for name in named} for precision, named in kinds.items()
    }
    for round_number in range(sizes.rounds + 1):
        for precision, named in kinds.items():
            for name, loop in named.items():
                of_epoch = loop.costs()
                if round_number:
                    costs[precision][name] += of_epoch
    return {
        precision: {name: _median(found) for name, found in named.items()}
        for precision, named in costs.items()
    }


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.core_seconds for cost in costs),
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Measure, and print a row for each loop."""
    sizes = sizes_from(Sizes, arguments)
    say(f"CPU, {torch.get_num_threads()} threads")
    measured = measure(sizes)
    before = measured["fp32"][BEFORE]
    print_table(
        f"a batch of {sizes.batch_size} rows of kept features, the default model; medians. Bounds: "
        f"at most {STEP_BOUND} x the passes, at least {AIM:g} x the rows of the loop before",
        (
            "precision",
            "loop",
            "ms",
            "core ms",
            "rows/s",
            "x passes",
            "x passes, cores",
            "x rows before",
        ),
        [
            (
                precision,
                name,
                1000 * cost.seconds,
                1000 * cost.core_seconds,
                sizes.batch_size / cost.seconds,
                cost.seconds / named[PASSES].seconds,
                cost.core_seconds / named[PASSES].core_seconds,
                before.seconds / cost.seconds,
            )
            for precision, named in measured.items()
            for name, cost in named.items()
        ],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
