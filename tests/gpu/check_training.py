"""Small trainings on the device against the CPU: of the model alone, and with its backbone.

There is no dropout, as a device draws other numbers than the CPU.
"""

from copy import deepcopy
from dataclasses import replace
from functools import cache

import torch
from accelerate.state import AcceleratorState, GradientState

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.features import FeatureMaker
from model.datasets.batch import RowTable, row_table
from model.datasets.feature_dataset import AllDraws, FeatureDataset
from model.datasets.loaders import training_loader, validation_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.metadata.tensors import metadata_tensors
from model.network.settings import Precision
from model.network.street_model import StreetModel
from model.optimization.accelerator import make_accelerator
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.metrics import EpochMetrics
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings
from model.optimization.trainer import Loaders, Trainer
from tests.gpu.check import Target, check, worst_of
from tests.gpu.check_backbone import loaded, settings_of
from tests.gpu.check_model import SETTINGS, text_vectors
from tests.gpu.drawn_images import DrawnImages, image_of, samples_of, training_rows

_CPU = torch.device("cpu")
_EPOCHS, _DRAWS = 3, 2
_CONFIG = TrainingConfig(
    training=TrainSettings(batch_size=8, accumulation_steps=2),
    optimizer=OptimizerSettings(lr=3e-4, ema_decay=0.9),
    loss=LossSettings(),
    dataset=DatasetSettings(draws=_DRAWS, mixup=0.0),
    model=replace(SETTINGS, width=128, heads=4),
)

Course = tuple[list[EpochMetrics], torch.Tensor]
"""The epochs, and all weights that were kept in one vector at the end."""


def _config(target: Target, backbone: Backbone) -> TrainingConfig:
    """With a trained backbone 4 views at a step, images mixed, no metadata; else all views."""
    frozen, precision = backbone.settings.frozen, backbone.precision
    training = replace(_CONFIG.training, epochs=_EPOCHS, views=12 if frozen else 4)
    if target.quick:
        training = replace(training, epochs=1, batch_size=2, accumulation_steps=1)
    return replace(
        _CONFIG,
        training=training,
        dataset=replace(_CONFIG.dataset, mixup=0.0 if frozen else 0.2),
        model=replace(_CONFIG.model, features=backbone.width, precision=precision),
    )


def _table(target: Target) -> RowTable:
    rows = training_rows(4 if target.quick else 48)
    return row_table(rows, metadata_tensors([row.metadata for row in rows], text_vectors))


def _features(table: RowTable, backbone: Backbone, seed: int) -> FeatureDataset:
    images = [image_of(sample) for sample in samples_of(table.rows, _DRAWS, seed)]
    return FeatureDataset(FeatureMaker(backbone).features(images), table, _DRAWS)


def _loaders(
    target: Target, device: torch.device, backbone: Backbone, config: TrainingConfig
) -> Loaders:
    table, training = _table(target), config.training
    sizes = BatchSettings(training.batch_size, training.accumulation_steps, _DRAWS)
    batches = TrainingBatches(SceneSampler(table.scenes, 0), table.scenes, sizes, 0)
    if backbone.settings.frozen:
        datasets = [_features(table, backbone, seed) for seed in (0, 1)]
        return Loaders(
            training_loader(datasets[0], batches, 0, device),
            batches,
            validation_loader(AllDraws(datasets[1], _DRAWS), training.batch_size),
        )
    return Loaders(
        training_loader(DrawnImages(table, 0, training.views), batches, 0, device),
        batches,
        validation_loader(DrawnImages(table, 1), training.batch_size),
    )


@cache
def _random_backbone(name: str, precision: Precision) -> Backbone:
    settings = replace(settings_of(name, frozen=False), precision=precision)
    return load_backbone(settings, _CPU)


@cache
def _trained(
    target: Target,
    device: torch.device,
    precision: Precision,
    name: str | None = None,
    again: int = 0,
) -> Course:
    """A training on a device: with the backbone `name`, or of the model alone.

    Each is done once; for another number of `again` it is done anew.
    """
    if name is None:
        backbone = loaded("test_vit", device, precision)
    else:
        # of the same weights each time
        backbone = deepcopy(_random_backbone(name, precision)).to(device)
    config = _config(target, backbone)
    # accelerate knows of one device in a process
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    # first of all that asks accelerate for a device: a loader would take the GPU
    accelerator = make_accelerator(config, cpu=device.type == "cpu")
    trainer = Trainer(
        FullModel(backbone, StreetModel(config.model).to(device)),
        _loaders(target, device, backbone, config),
        config,
        accelerator,
    )
    epochs = list(trainer.epochs())
    state = trainer.kept.trained_state()
    return epochs, torch.cat(
        [tensor.flatten().cpu().double() for part in state.values() for tensor in part.values()]
    )


def _baseline(target: Target, name: str | None = None) -> Course:
    return _trained(target, _CPU, "fp32", name)


def _twice(target: Target, precision: Precision, name: str | None = None) -> tuple[Course, Course]:
    return (
        _trained(target, target.device, precision, name),
        _trained(target, target.device, precision, name, again=1),
    )


def _loss_difference(found: Course, expected: Course) -> float:
    """The worst difference of the losses, in training and validation."""
    return worst_of(
        (
            torch.tensor([epoch.loss, epoch.validation_loss]),
            torch.tensor([reference.loss, reference.validation_loss]),
        )
        for epoch, reference in zip(found[0], expected[0], strict=True)
    )


@check("training of the model, losses of its epochs", fp32=1e-3, bf16=5e-2)
def model_alone(target: Target, precision: Precision) -> float:
    """On features of a frozen backbone, fed metadata; the reference is float32."""
    expected = _baseline(target)
    return _loss_difference(_trained(target, target.device, precision), expected)


@check("training of the model made twice, weights", fp32=0, bf16=0)
def model_alone_again(target: Target, precision: Precision) -> float:
    """The same seed gives the same weights, bit by bit."""
    first, second = _twice(target, precision)
    return worst_of([(first[1], second[1])]) + _loss_difference(first, second)


@check("training with a ViT, losses of its epochs", fp32=5e-3, bf16=1e-1)
def with_transformer(target: Target, precision: Precision) -> float:
    """Views are made on the device, 4 of each image at a step."""
    expected = _baseline(target, "test_vit")
    return _loss_difference(_trained(target, target.device, precision, "test_vit"), expected)


@check("training with a ResNet, losses of its epochs", fp32=5e-3, bf16=1e-1)
def with_convolutions(target: Target, precision: Precision) -> float:
    """Convolutions go backwards by algorithms that repeat themselves."""
    expected = _baseline(target, "test_resnet")
    return _loss_difference(_trained(target, target.device, precision, "test_resnet"), expected)


@check("training with a ViT made twice, losses", fp32=1e-3, bf16=2e-2)
def with_transformer_again(target: Target, precision: Precision) -> float:
    """The gradient of fused attention is summed in any order on a GPU."""
    return _loss_difference(*_twice(target, precision, "test_vit"))


@check("training with a ResNet made twice, weights", fp32=0, bf16=0)
def with_convolutions_again(target: Target, precision: Precision) -> float:
    """The same seed gives the same weights, bit by bit."""
    first, second = _twice(target, precision, "test_resnet")
    return worst_of([(first[1], second[1])])


CHECKS = (
    model_alone,
    model_alone_again,
    with_transformer,
    with_convolutions,
    with_transformer_again,
    with_convolutions_again,
)
