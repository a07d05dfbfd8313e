"""A checkpoint as a candidate, its cache of features, and a small replay: device against CPU."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from model.backbone.backbone import Backbone
from model.backbone.features import FeatureMaker, open_cache
from model.checkpoint.backbone_in_card import backbone_of, card_of
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from model.checkpoint.predictor import CheckpointPredictor, PredictorSettings
from model.datasets.challenge_draws import Sample
from model.network.settings import ModelSettings, Precision
from model.network.street_model import StreetModel
from replay.candidates.predictor import Batch, Image, LazySequence, Predictions
from tests.gpu.check import Target, check, lowered_precision, worst_of
from tests.gpu.check_backbone import loaded
from tests.gpu.check_model import text_vectors
from tests.gpu.drawn_images import image_of, samples_of, training_rows

_CPU = torch.device("cpu")
_BACKBONE = "test_vit"
_KEEP = 4
_PARTS = 3


def _saved(folder: Path, precision: Precision = "fp32") -> Path:
    """A checkpoint whose scorer counts as trained, so that it may choose views."""
    backbone = loaded(_BACKBONE, _CPU, precision)
    model = StreetModel(
        ModelSettings(features=backbone.width, width=128, heads=4, precision=precision)
    )
    with torch.no_grad():
        for weight in model.scorer.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=torch.manual_seed(3)))
    training = {"trained": ["model", "scorer"], "metadata": True}
    save_checkpoint(folder, model, card_of(model.settings, backbone, training))
    return folder


@cache
def _backbone(device: torch.device, precision: Precision) -> Backbone:
    """The checkpoint's backbone; loaded once, as checking its fingerprint takes a second."""
    with TemporaryDirectory() as folder:
        return backbone_of(load_checkpoint(_saved(Path(folder), precision)), device)


def _predictor(
    folder: Path,
    device: torch.device,
    settings: PredictorSettings = PredictorSettings(),
    cache: Path | None = None,
) -> CheckpointPredictor:
    checkpoint = load_checkpoint(folder)
    backbone = _backbone(device, checkpoint.card.settings.precision)
    kept = None if cache is None else open_cache(cache, backbone)
    return CheckpointPredictor(checkpoint, backbone, "checked", settings, kept, text_vectors)


@dataclass
class _Replay:
    """A replay's batches: images built when asked for, with their keys."""

    samples: Sequence[Sample]
    images_built: int = field(default=0)

    def run(self, predictor: CheckpointPredictor) -> Predictions:
        answers = [
            predictor.predict(self._batch([self.samples[index] for index in part]))
            for part in np.array_split(np.arange(len(self.samples)), _PARTS)
        ]
        gates = [part.gates for part in answers if part.gates is not None]
        return Predictions(
            np.concatenate([part.probability for part in answers]), np.concatenate(gates)
        )

    def _batch(self, part: Sequence[Sample]) -> Batch:
        ids = [sample.challenge.challenge_id for sample in part]
        rows = [{"gps_lat": 40.0, "gps_lon": -80.0, "weather": ["Fog"]} for _ in part]
        return Batch(
            ids, LazySequence([partial(self._image, sample) for sample in part]), rows, ids
        )

    def _image(self, sample: Sample) -> Image:
        self.images_built += 1
        return image_of(sample)


def _replay(target: Target) -> _Replay:
    return _Replay(samples_of(training_rows(max(2, target.images // 4)), 4, seed=0))


def _difference(found: Predictions, expected: Predictions) -> float:
    pairs = [
        (found.probability, expected.probability),
        (np.asarray(found.gates), np.asarray(expected.gates)),
    ]
    return worst_of((torch.from_numpy(first), torch.from_numpy(second)) for first, second in pairs)


def _device_difference(target: Target, settings: PredictorSettings) -> float:
    found = _answers(target, target.device, settings)
    return _difference(found, _answers(target, _CPU, settings))


def _answers(
    target: Target,
    device: torch.device,
    settings: PredictorSettings,
    precision: Precision = "fp32",
) -> Predictions:
    with TemporaryDirectory() as folder:
        checkpoint = _saved(Path(folder), precision)
        return _replay(target).run(_predictor(checkpoint, device, settings))


@check("small replay, probability and gates", fp32=1e-4)
def replayed(target: Target, _: Precision) -> float:
    """Rebuilt, encoded, decoded, answered in three parts; pruned between layers."""
    return _device_difference(target, PredictorSettings())


@check("small replay, probability and gates, fed metadata", fp32=1e-4)
def replayed_with_metadata(target: Target, _: Precision) -> float:
    """Metadata is made on the CPU and goes to the device."""
    return _device_difference(target, PredictorSettings(metadata=True))


@check("small replay, probability and gates, 4 views before the backbone", fp32=1e-4)
def replayed_in_few_views(target: Target, _: Precision) -> float:
    """The scorer chooses on the device."""
    return _device_difference(target, PredictorSettings(keep=_KEEP))


@check("small replay, probability against fp32", bf16=5e-2)
def replayed_in_bfloat16(target: Target, precision: Precision) -> float:
    """Gates are left out: in bfloat16 near ties decide otherwise which view is pruned."""
    settings = PredictorSettings()
    expected = _answers(target, _CPU, settings)
    found = _answers(target, target.device, settings, precision)
    return float(np.abs(found.probability - expected.probability).max())


@check("small replay made twice, once under autocast and TF32", fp32=0, bf16=0)
def replayed_again(target: Target, precision: Precision) -> float:
    """A device repeats itself, bit by bit, also in a predictor that was loaded anew."""
    first = _answers(target, target.device, PredictorSettings(), precision)
    with lowered_precision(target):
        second = _answers(target, target.device, PredictorSettings(), precision)
    return _difference(first, second)


@check("small replay from cached features against the first, images looked at", fp32=0)
def replayed_from_cache(target: Target, _: Precision) -> float:
    """The same bits come back, no image is looked at, and a pruned replay takes them too."""
    with TemporaryDirectory() as folder:
        checkpoint, replay = _saved(Path(folder) / "model"), _replay(target)
        cache = Path(folder) / "cache"
        first = replay.run(_predictor(checkpoint, target.device, cache=cache))
        replay.images_built = 0
        second = replay.run(_predictor(checkpoint, target.device, cache=cache))
        pruned = PredictorSettings(keep=_KEEP)
        replay.run(_predictor(checkpoint, target.device, pruned, cache))
    return _difference(first, second) + replay.images_built


@check("features of the CPU served to the device", cuda_only=True, fp32=0)
def caches_apart(target: Target, _: Precision) -> float:
    """Each has a file of its own."""
    with TemporaryDirectory() as folder:
        image, backbone = [np.zeros((224, 224, 3), np.uint8)], loaded(_BACKBONE, _CPU)
        FeatureMaker(backbone, open_cache(Path(folder), backbone)).features(image, ["grey"])
        return float(len(open_cache(Path(folder), loaded(_BACKBONE, target.device))))


CHECKS = (
    replayed,
    replayed_with_metadata,
    replayed_in_few_views,
    replayed_in_bfloat16,
    replayed_again,
    replayed_from_cache,
    caches_apart,
)
