"""The model after the backbone, on the device against the CPU: answers and gradients."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import torch

from model.metadata.tensors import MetadataTensors, metadata_tensors
from model.network.attention_kernel import attention_kernels as attention_kernels_of
from model.network.settings import ModelSettings, Precision
from model.network.street_model import ModelOutput, StreetModel
from model.optimization.losses import soft_labels, training_loss
from model.optimization.settings import LossSettings
from replay.candidates.float32 import exact_float32
from tests.gpu.attention_kernels import HALF_PRECISION_KERNELS, kernels_that_ran
from tests.gpu.check import Target, check, lowered_precision, relative, worst_of

_CPU = torch.device("cpu")
# What training drops is drawn on the device, where other numbers come; so nothing is dropped.
SETTINGS = ModelSettings(
    drop_path=0, drop_view=0, drop_metadata=0, drop_field=0, keep_views=12, features=64
)
_PRUNING = ModelSettings(drop_path=0, drop_view=0, features=64)


def metadata(count: int) -> MetadataTensors:
    """Some fields NULL, others not; texts as random vectors."""
    rows = [
        {
            "gps_lat": 40.0 + k,
            "gps_lon": -80.0 - k,
            "weather": ("Rainy", "Fog")[: k % 3],
            "scene_description": f"scene {k}" if k % 2 else None,
        }
        for k in range(count)
    ]
    return metadata_tensors(rows, text_vectors)


def text_vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """(N, 384), in place of the encoder's, which runs on the CPU anyway."""
    drawn = np.random.default_rng(0).standard_normal((len(texts), 384)) / 384**0.5
    vectors: npt.NDArray[np.float32] = drawn.astype(np.float32)
    return vectors


def _features(count: int) -> torch.Tensor:
    return torch.randn(count, 12, 64, generator=torch.Generator().manual_seed(1))


def _answers(model: StreetModel, device: torch.device, count: int, views: int = 12) -> ModelOutput:
    shown = torch.arange(views, device=device).expand(count, -1)
    with torch.inference_mode():
        answer: ModelOutput = model.to(device).eval()(
            _features(count)[:, :views].to(device), metadata(count).to(device), views=shown
        )
    return answer


@check("model's logits and gates of all views", fp32=1e-4, bf16=5e-2)
def answers(target: Target, precision: Precision) -> float:
    """No view is pruned, so nothing hangs on a near tie."""
    return _difference(target, precision, SETTINGS, 12)


@check("model's logits and gates, pruned from 12 views to 8", fp32=1e-4)
def pruned(target: Target, precision: Precision) -> float:
    """Views are dropped between layers, by scores that differ by more than rounding."""
    return _difference(target, precision, _PRUNING, 12)


@check("model's logits and gates of 5 views", fp32=1e-4, bf16=5e-2)
def five_views(target: Target, precision: Precision) -> float:
    """As after pruning before the backbone."""
    return _difference(target, precision, SETTINGS, 5)


def _difference(target: Target, precision: Precision, settings: ModelSettings, views: int) -> float:
    expected = _answers(StreetModel(settings), _CPU, target.images, views)
    model = StreetModel(replace(settings, precision=precision))
    found = _answers(model, target.device, target.images, views)
    return worst_of([(found.logits, expected.logits), (found.gates, expected.gates)])


@check("model asked twice, once under autocast and TF32", fp32=0, bf16=0)
def answers_again(target: Target, precision: Precision) -> float:
    """A device repeats itself, bit by bit, whatever is around the call."""
    model = StreetModel(replace(_PRUNING, precision=precision))
    first = _answers(model, target.device, target.images)
    with lowered_precision(target):
        second = _answers(model, target.device, target.images)
    return worst_of(zip(vars(first).values(), vars(second).values(), strict=True))


@check("gradient of a step, norm of difference / norm", fp32=1e-4, bf16=1e-1)
def gradients(target: Target, precision: Precision) -> float:
    """Of all weights in one vector, in training mode."""
    found = _gradient(target.device, target.images, precision)
    return relative(found, _reference_gradient(target.images))


@cache
def _reference_gradient(count: int) -> torch.Tensor:
    return _gradient(_CPU, count, "fp32")


@check("gradient made twice", fp32=0, bf16=0)
def gradients_again(target: Target, precision: Precision) -> float:
    """The same gradient bit by bit, so that a seed gives the same weights."""
    twice = [_gradient(target.device, target.images, precision) for _ in range(2)]
    return worst_of([(twice[0], twice[1])])


def _gradient(device: torch.device, count: int, precision: Precision) -> torch.Tensor:
    model = StreetModel(replace(SETTINGS, precision=precision)).to(device).train()
    output = model(_features(count).to(device), metadata(count).to(device))
    labels = soft_labels((torch.arange(count) % 2).to(device))
    weather = torch.eye(output.weather_logits.shape[1])[torch.arange(count) % 5].to(device)
    settings = LossSettings()
    loss = training_loss(output, labels, weather, settings).total(settings)
    # a backward pass lies outside of the model's own context
    with exact_float32():
        torch.autograd.backward(loss)
    gradients = [
        parameter.grad.flatten().cpu()
        for parameter in model.parameters()
        if parameter.grad is not None
    ]
    return torch.cat(gradients)


@check("maskless attentions by another kernel than flash or cuDNN's", bf16=0)
def attention_kernels(target: Target, precision: Precision) -> float:
    """All views seen: that of every layer, and the fusion's self-attention; not its masked one."""
    model = StreetModel(replace(SETTINGS, precision=precision)).to(target.device)
    _answers(model, target.device, target.images)
    ran = kernels_that_ran(lambda: _answers(model, target.device, target.images))
    return float(max(0, SETTINGS.layers + 1 - sum(ran[name] for name in HALF_PRECISION_KERNELS)))


@check("kernels of attention that `describe` names wrongly", fp32=0, bf16=0)
def described_kernels(target: Target, precision: Precision) -> float:
    """Against what ran in the fusion: cross-attention is masked, self-attention is not."""
    model = StreetModel(replace(SETTINGS, precision=precision)).to(target.device)
    _answers(model, target.device, target.images)
    ran = kernels_that_ran(lambda: _answers(model, target.device, target.images))
    described = attention_kernels_of(model.settings, target.device)
    named = Counter({described.all_seen: SETTINGS.layers + 1}) + Counter([described.masked])
    return float((ran - named).total() + (named - ran).total())


CHECKS = (
    answers,
    pruned,
    five_views,
    answers_again,
    gradients,
    gradients_again,
    attention_kernels,
    described_kernels,
)
