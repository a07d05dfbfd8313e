"""Small trainings on the device against the CPU: of the model alone, and with its backbone.

Nothing is dropped in training, for a device draws other numbers than the CPU.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache

import torch

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.features import FeatureMaker
from model.metadata.tensors import metadata_tensors
from model.network.street_model import StreetModel
from model.training.dataset import Dataset, make_dataset
from model.training.inputs import FeatureInputs, TrainingInputs, ViewInputs
from model.training.samples import Sample
from model.training.settings import TrainSettings
from model.training.trainer import EpochMetrics, Trainer
from tests.gpu.check import Precision, Setting, check, worst_of
from tests.gpu.check_backbone import loaded, settings_of
from tests.gpu.check_model import SETTINGS, text_vectors
from tests.gpu.pictures import image_of, jpeg_of, samples_of, training_rows

_CPU = torch.device("cpu")
_EPOCHS = 3
_MODEL = replace(SETTINGS, width=128, heads=4)
_TRAINING = TrainSettings(batch_size=8, lr=3e-4, images=2)

InputsOf = Callable[[Sequence[Sample]], TrainingInputs]

Course = tuple[list[EpochMetrics], torch.Tensor]
"""The epochs, and all weights in one vector at the end."""


def _side(setting: Setting, seed: int, inputs_of: InputsOf) -> Dataset:
    rows = training_rows(4 if setting.quick else 48)
    samples = samples_of(rows, _TRAINING.images, seed)
    metadata = metadata_tensors([row.metadata for row in rows], text_vectors)
    return make_dataset(rows, inputs_of(samples), metadata)


@cache
def _drawn(name: str) -> Backbone:
    return load_backbone(settings_of(name, frozen=False), _CPU)


def _untrained(name: str) -> Backbone:
    """One to be trained, of the same weights each time."""
    return deepcopy(_drawn(name))


def _trained(
    setting: Setting, device: torch.device, precision: Precision, name: str | None = None
) -> Course:
    """A training on a device; of the backbone `name` too, else of the model alone."""
    backbone = loaded("test_vit", device) if name is None else _untrained(name).to(device)

    def inputs_of(samples: Sequence[Sample]) -> TrainingInputs:
        if name is not None:
            return ViewInputs(samples, [jpeg_of(one) for one in samples], backbone)
        features = FeatureMaker(backbone).features([image_of(one) for one in samples])
        return FeatureInputs(samples, features)

    training, validation = (_side(setting, seed, inputs_of) for seed in (0, 1))
    model = StreetModel(replace(_MODEL, features=backbone.width)).to(device)
    settings = replace(
        _TRAINING,
        precision=precision,
        epochs=1 if setting.quick else _EPOCHS,
        views=12 if name is None else 4,
    )
    epochs = list(Trainer(model, backbone, settings).epochs(training, validation))
    modules = [model, *([] if name is None else [backbone])]
    weights = [one.detach().flatten().cpu() for m in modules for one in m.parameters()]
    return epochs, torch.cat(weights)


@cache
def _baseline(setting: Setting, name: str | None = None) -> Course:
    return _trained(setting, _CPU, "float32", name)


def _apart(found: Course, expected: Course) -> float:
    """The worst difference of the losses, in training and validation."""
    return worst_of(
        (
            torch.tensor([one.loss, one.validation_loss]),
            torch.tensor([other.loss, other.validation_loss]),
        )
        for one, other in zip(found[0], expected[0], strict=True)
    )


@check("training of the model, losses of its epochs", float32=1e-3, bfloat16=5e-2)
def model_alone(setting: Setting, precision: Precision) -> float:
    """On features of a frozen backbone, fed metadata; the reference is float32."""
    expected = _baseline(setting)
    return _apart(_trained(setting, setting.device, precision), expected)


@check("training of the model made twice, weights", float32=0, bfloat16=0)
def model_alone_again(setting: Setting, precision: Precision) -> float:
    """The same seed gives the same weights, bit by bit."""
    first, second = (_trained(setting, setting.device, precision) for _ in range(2))
    return worst_of([(first[1], second[1])]) + _apart(first, second)


@check("training with a ViT, losses of its epochs", float32=5e-3, bfloat16=1e-1)
def with_transformer(setting: Setting, precision: Precision) -> float:
    """Views are made on the device, 4 of each image at a step."""
    expected = _baseline(setting, "test_vit")
    return _apart(_trained(setting, setting.device, precision, "test_vit"), expected)


@check("training with a ResNet, losses of its epochs", float32=5e-3, bfloat16=1e-1)
def with_convolutions(setting: Setting, precision: Precision) -> float:
    """Convolutions go backwards by algorithms that repeat themselves."""
    expected = _baseline(setting, "test_resnet")
    return _apart(_trained(setting, setting.device, precision, "test_resnet"), expected)


@check("training with a ViT made twice, losses", float32=1e-3, bfloat16=2e-2)
def with_transformer_again(setting: Setting, precision: Precision) -> float:
    """The gradient of fused attention is summed in any order on a GPU."""
    made = [_trained(setting, setting.device, precision, "test_vit") for _ in range(2)]
    return _apart(*made)


@check("training with a ResNet made twice, weights", float32=0, bfloat16=0)
def with_convolutions_again(setting: Setting, precision: Precision) -> float:
    """The same seed gives the same weights, bit by bit."""
    first, second = (_trained(setting, setting.device, precision, "test_resnet") for _ in range(2))
    return worst_of([(first[1], second[1])])


CHECKS = (
    *(model_alone, model_alone_again, with_transformer, with_convolutions),
    *(with_transformer_again, with_convolutions_again),
)
