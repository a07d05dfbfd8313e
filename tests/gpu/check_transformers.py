"""A transformers classifier, as most miners have one, on the device against the CPU."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)
from transformers.utils import logging as transformers_logging

from model.network.settings import Precision
from replay.candidates.huggingface import HuggingFaceModel, load_hugging_face
from replay.candidates.predictor import Batch
from tests.gpu.check import Target, check
from tests.gpu.drawn_images import image_of, samples_of, training_rows

# a bar for each model that is saved
_logging: Any = transformers_logging
_logging.disable_progress_bar()

_LABELS: Mapping[int, str] = {0: "none", 1: "roadwork"}


def _models() -> list[Any]:
    torch.manual_seed(0)
    vit = ViTConfig(
        num_hidden_layers=2,
        hidden_size=64,
        num_attention_heads=4,
        intermediate_size=128,
        id2label=dict(_LABELS),
    )
    convolutional = ConvNextConfig(
        hidden_sizes=[16, 32, 64, 64], depths=[1, 1, 1, 1], id2label=dict(_LABELS)
    )
    return [ViTForImageClassification(vit), ConvNextForImageClassification(convolutional)]


def _loaded(model: Any, folder: Path) -> HuggingFaceModel:
    model.save_pretrained(folder)
    ViTImageProcessor().save_pretrained(folder)
    return load_hugging_face(f"hf:{folder}")


@check("transformers ViT and ConvNeXt, probability", fp32=1e-5)
def classifiers(target: Target, _: Precision) -> float:
    """One image a pass, in whole float32."""
    batch = _batch(target)
    worst = 0.0
    for model in _models():
        with TemporaryDirectory() as folder:
            on_device = _on(_loaded(model, Path(folder)), target.device)
        expected = _on(on_device, torch.device("cpu")).predict(batch).probability
        worst = max(worst, float(np.abs(on_device.predict(batch).probability - expected).max()))
    return worst


@check("transformers ViT and ConvNeXt asked twice", fp32=0)
def classifiers_again(target: Target, _: Precision) -> float:
    """A device repeats itself, bit by bit."""
    batch = _batch(target)
    worst = 0.0
    for model in _models():
        with TemporaryDirectory() as folder:
            loaded = _on(_loaded(model, Path(folder)), target.device)
        first, second = (loaded.predict(batch).probability for _ in range(2))
        worst = max(worst, float(np.abs(first - second).max()))
    return worst


@check("transformers ViT and ConvNeXt in batches, probability", fp32=1e-5)
def classifiers_in_batches(target: Target, _: Precision) -> float:
    """Eight images a pass, the last one filled up, against one a pass on the CPU."""
    batch = _batch(target)
    worst = 0.0
    for model in _models():
        with TemporaryDirectory() as folder:
            loaded = _loaded(model, Path(folder))
        expected = _on(loaded, torch.device("cpu")).predict(batch).probability
        several = replace(_on(loaded, target.device), batch_size=8)
        worst = max(worst, float(np.abs(several.predict(batch).probability - expected).max()))
    return worst


def _on(loaded: HuggingFaceModel, device: torch.device) -> HuggingFaceModel:
    return replace(loaded, model=deepcopy(loaded.model).to(device))


def _batch(target: Target) -> Batch:
    samples = samples_of(training_rows(max(2, target.images // 4)), 2, seed=1)
    return Batch(
        [sample.challenge.challenge_id for sample in samples],
        [image_of(sample) for sample in samples],
    )


CHECKS = (classifiers, classifiers_again, classifiers_in_batches)
