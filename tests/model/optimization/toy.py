"""A toy that the model can learn from features alone, as loaders and a trainer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.batch import row_table
from model.datasets.feature_dataset import AllDraws, FeatureDataset
from model.datasets.loaders import training_loader, validation_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.optimization.accelerator import make_accelerator
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings
from model.optimization.trainer import Loaders, Trainer
from model.rows.training_row import TrainingRow

WIDTH = 16
DRAWS = 2
QUICK = TrainingConfig(
    training=TrainSettings(epochs=12, batch_size=32, accumulation_steps=1),
    optimizer=OptimizerSettings(lr=3e-3, weight_decay=0.05, ema_decay=0.0),
    loss=LossSettings(label=1.0, views=1.0, consistency=0.0, smoothing=0.0, weather=0.1),
    dataset=DatasetSettings(draws=DRAWS),
    backbone=BackboneSettings("test_resnet", RANDOM, side=32),
    model=ModelSettings(
        WIDTH,
        12,
        32,
        4,
        layers=1,
        prune_after=1,
        drop_path=0.0,
        drop_view=0.1,
        scorer_width=8,
    ),
)


def toy_backbone() -> Backbone:
    """Frozen; only its normalisation is ever used."""
    return load_backbone(QUICK.backbone, "cpu")


def toy_data(rows: int, seed: int, views: int = 12) -> FeatureDataset:
    """A sign in one or two of twelve views, and noise; two draws of each row."""
    generator = torch.Generator().manual_seed(seed)
    sign = torch.linspace(-1.5, 1.5, WIDTH)
    described = [
        TrainingRow("a.parquet", row, row % 2, (1, 1), {"weather": ("Fog",) if row % 3 else None})
        for row in range(rows)
    ]
    features = torch.randn(rows * DRAWS, 12, WIDTH, generator=generator)
    for index in range(len(features)):
        if described[index // DRAWS].label:
            features[index, torch.randint(12, (2,), generator=generator)] += 2 * sign
    return FeatureDataset(features, row_table(described), DRAWS, views, seed)


def toy_loaders(
    training: FeatureDataset,
    validation: FeatureDataset,
    config: TrainingConfig,
    scenes: Sequence[int] | None = None,
) -> Loaders:
    """Loaders of two toys, in one process."""
    numbers = torch.arange(len(training)) if scenes is None else torch.tensor(scenes)
    sizes = BatchSettings(config.training.batch_size, config.training.accumulation_steps, DRAWS)
    seed = config.training.seed
    batches = TrainingBatches(SceneSampler(numbers, seed), numbers, sizes, seed)
    return Loaders(
        training_loader(training, batches, 0, torch.device("cpu")),
        batches,
        validation_loader(AllDraws(validation, DRAWS), config.training.batch_size),
    )


def cpu_accelerator(config: TrainingConfig, **options: Any) -> Accelerator:
    """An accelerator on the processor, whatever an earlier test has left of one."""
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    return make_accelerator(config, cpu=True, **options)


def toy_trainer(
    config: TrainingConfig = QUICK,
    backbone: Backbone | None = None,
    training: FeatureDataset | None = None,
    validation: FeatureDataset | None = None,
    at_once: int | None = None,
) -> Trainer:
    """A trainer of a new model on toys: 40 rows to train on, 20 to validate."""
    dataset = replace(config.dataset, randaugment=False, cutout=0, mixup=0.0)
    config = replace(config, dataset=dataset)
    loaders = toy_loaders(
        training or toy_data(40, 0, config.training.views), validation or toy_data(20, 1), config
    )
    model = FullModel(backbone or toy_backbone(), StreetModel(config.model))
    return Trainer(model, loaders, config, cpu_accelerator(config), at_once)
