"""Small trainings on the device against the CPU: of the model alone, and with its backbone.

There is no dropout, as a device draws other numbers than the CPU.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache

import torch
from model.training.dataset import Dataset, make_dataset
from model.training.inputs import FeatureInputs, TrainingInputs, ViewInputs

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.features import FeatureMaker
from model.datasets.challenge_draws import Sample
from model.metadata.tensors import metadata_tensors
from model.network.street_model import StreetModel
from model.training.settings import TrainSettings
from model.training.trainer import EpochMetrics, Trainer
from tests.gpu.check import Precision, Target, check, worst_of
from tests.gpu.check_backbone import loaded, settings_of
from tests.gpu.check_model import SETTINGS, text_vectors
from tests.gpu.drawn_images import image_of, jpeg_of, samples_of, training_rows

_CPU = torch.device("cpu")
_EPOCHS = 3
_MODEL = replace(SETTINGS, width=128, heads=4)
_TRAINING = TrainSettings(batch_size=8, lr=3e-4, images=2)

InputsOf = Callable[[Sequence[Sample]], TrainingInputs]

Course = tuple[list[EpochMetrics], torch.Tensor]
"""The epochs, and all weights in one vector at the end."""


def _dataset(target: Target, seed: int, inputs_of: InputsOf) -> Dataset:
    rows = training_rows(4 if target.quick else 48)
    samples = samples_of(rows, _TRAINING.images, seed)
    metadata = metadata_tensors([row.metadata for row in rows], text_vectors)
    return make_dataset(rows, inputs_of(samples), metadata)


@cache
def _random_backbone(name: str) -> Backbone:
    return load_backbone(settings_of(name, trained="all"), _CPU)


def _untrained(name: str) -> Backbone:
    """A backbone to be trained, of the same weights each time."""
    return deepcopy(_random_backbone(name))


def _trained(
    target: Target, device: torch.device, precision: Precision, name: str | None = None
) -> Course:
    """A training on a device: with the backbone `name`, or of the model alone."""
    backbone = loaded("test_vit", device) if name is None else _untrained(name).to(device)

    def inputs_of(samples: Sequence[Sample]) -> TrainingInputs:
        if name is not None:
            return ViewInputs(samples, [jpeg_of(sample) for sample in samples], backbone)
        features = FeatureMaker(backbone).features([image_of(sample) for sample in samples])
        return FeatureInputs(samples, features)

    training, validation = (_dataset(target, seed, inputs_of) for seed in (0, 1))
    model = StreetModel(replace(_MODEL, features=backbone.width)).to(device)
    settings = replace(
        _TRAINING,
        precision=precision,
        epochs=1 if target.quick else _EPOCHS,
        views=12 if name is None else 4,
    )
    epochs = list(Trainer(model, backbone, settings).epochs(training, validation))
    modules = [model] if name is None else [model, backbone]
    weights = [
        parameter.detach().flatten().cpu()
        for module in modules
        for parameter in module.parameters()
    ]
    return epochs, torch.cat(weights)


@cache
def _baseline(target: Target, name: str | None = None) -> Course:
    return _trained(target, _CPU, "fp32", name)


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
    first, second = (_trained(target, target.device, precision) for _ in range(2))
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
    made = [_trained(target, target.device, precision, "test_vit") for _ in range(2)]
    return _loss_difference(*made)


@check("training with a ResNet made twice, weights", fp32=0, bf16=0)
def with_convolutions_again(target: Target, precision: Precision) -> float:
    """The same seed gives the same weights, bit by bit."""
    first, second = (_trained(target, target.device, precision, "test_resnet") for _ in range(2))
    return worst_of([(first[1], second[1])])


CHECKS = (
    model_alone,
    model_alone_again,
    with_transformer,
    with_convolutions,
    with_transformer_again,
    with_convolutions_again,
)
