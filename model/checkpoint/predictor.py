"""A checkpoint as a candidate: probability and twelve gates for every image.

Answers depend on how images are batched, and on whether features come from the cache, in their
last bits only: in fp32 probabilities and gates differ by less than 1e-4 on one kind of device; in
bf16 they have fewer bits, and a near tie may decide which view is pruned. The parts of a replay
are fixed by its plan, so its batches are too, unless memory was short.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from data.errors import RunError
from data.store import Store
from model.backbone.backbone import Backbone
from model.backbone.cache import FeatureCache
from model.backbone.chosen_features import ChosenFeatures
from model.backbone.features import FeatureMaker, open_cache
from model.checkpoint.backbone_in_card import backbone_of
from model.checkpoint.card import SCORER
from model.checkpoint.checkpoint import Checkpoint, load_checkpoint
from model.checkpoint.command_line_name import parse_checkpoint_name
from model.metadata.tensors import MetadataTensors, TextEncoder, metadata_tensors
from model.metadata.text_vectors import TextVectors
from model.network.street_model import ModelOutput
from replay.candidates.device_copies import CopiesFromDevice
from replay.candidates.predictor import Batch, Predictions
from replay.candidates.registry import LoadSettings

# Raised when the same checkpoint would answer differently by this code.
_VERSION = 2

# Batch size of the model, in challenges; that of the backbone is as large as memory allows.
_AT_ONCE = 256


@dataclass(frozen=True)
class PredictorSettings:
    """How a checkpoint answers.

    `metadata` gives it what is logged beside the image, which no miner gets. `keep` is the number
    of views that the backbone is run on, chosen by the checkpoint's scorer; None is all.
    """

    metadata: bool = False
    keep: int | None = None


class CheckpointPredictor:
    """Predictor: a checkpoint's model on its backbone; made by `load_predictor`."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        backbone: Backbone,
        name: str,
        settings: PredictorSettings = PredictorSettings(),
        cache: FeatureCache | None = None,
        text: TextEncoder | None = None,
        training_rows: Path | None = None,
    ) -> None:
        """Join a loaded model and its backbone.

        Args:
            checkpoint: its model goes to the backbone's device.
            backbone: of the checkpoint (`backbone_of`).
            name: what reports call it.
            settings: how it answers.
            cache: of the backbone's features.
            text: encodes descriptions; None is the text encoder without a cache on disk.
            training_rows: the file of the rows that it was trained on, which a replay keeps.

        Raises:
            RunError: `keep` is more than there are views, the scorer was never trained, the model
                was not trained with the metadata that it is to get, or the backbone computes in
                another precision.
        """
        backbone.check_precision(checkpoint.card.settings.precision)
        if settings.metadata:
            checkpoint.card.check_metadata(name)
        self.name, self.wants_metadata = name, settings.metadata
        self.training_rows = training_rows
        self.checkpoint_sha256 = checkpoint.sha256 if settings == PredictorSettings() else None
        self._device = next(backbone.parameters()).device
        self._model = checkpoint.model.to(self._device)
        self._text = text or TextVectors()
        self.fingerprint = answers_fingerprint(checkpoint, backbone, settings, self._device.type)
        self._cache = cache
        self._all_features = FeatureMaker(backbone, cache)
        self._chosen_features: ChosenFeatures | None = None
        if settings.keep is not None:
            _check_keep(checkpoint, settings.keep, name)
            self._chosen_features = ChosenFeatures(
                backbone, self._model.scorer, settings.keep, cache
            )

    def known_keys(self, image_keys: Sequence[str]) -> frozenset[str]:
        """Those of the keys whose features are in the cache: `predict` needs no image of them."""
        return frozenset() if self._cache is None else self._cache.keys_among(image_keys)

    def predict(self, batch: Batch) -> Predictions:
        """Probability of roadwork and the 12 gates of each image.

        The gate of a view that was pruned, before the backbone or between layers, is exactly 0.

        Raises:
            RunError: an image of another form than (H, W, 3), or too little memory for one view.
        """
        return self.begin_predict(batch).result()

    def begin_predict(self, batch: Batch) -> "_BegunModel":
        """Give the device all of a batch; a GPU then computes while this process goes on.

        Raises:
            RunError: as `predict`.
        """
        features, views = self._features(batch)
        metadata = self._metadata(batch.metadata)
        parts = [
            self._forward(features, views, metadata, slice(start, start + _AT_ONCE))
            for start in range(0, max(1, len(features)), _AT_ONCE)
        ]
        logits = torch.cat([part.logits for part in parts])
        gates = torch.cat([part.gates for part in parts])
        return _BegunModel(CopiesFromDevice([logits, gates]), self._all_features)

    def _features(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None]:
        if self._chosen_features is None:
            return self._all_features.features(batch.images, batch.image_keys), None
        return self._chosen_features.features(batch.images, batch.image_keys)

    def _metadata(self, rows: Sequence[Mapping[str, Any]] | None) -> MetadataTensors | None:
        if not self.wants_metadata or rows is None:
            return None
        return metadata_tensors(rows, self._text)

    def _forward(
        self,
        features: torch.Tensor,
        views: torch.Tensor | None,
        metadata: MetadataTensors | None,
        part: slice,
    ) -> ModelOutput:
        index = torch.arange(len(features))[part]
        with torch.inference_mode():
            output: ModelOutput = self._model(
                features[part],
                None if metadata is None else metadata.rows(index).to(self._device),
                views=None if views is None else views[part],
            )
        return output


@dataclass(frozen=True)
class _BegunModel:
    """Logits and gates that a device was asked for."""

    copies: CopiesFromDevice
    features: FeatureMaker

    def done(self) -> bool:
        return self.copies.done()

    def result(self) -> Predictions:
        logits, gates = self.copies.tensors()
        self.features.store_computed()
        return Predictions(logits.double().softmax(dim=1)[:, 1].numpy(), gates.float().numpy())


def load_predictor(
    folder: Path,
    store: Store | None = None,
    settings: PredictorSettings = PredictorSettings(),
    on_note: Callable[[str], None] = lambda _: None,
) -> CheckpointPredictor:
    """The candidate in a checkpoint's folder, with its training rows where its card names them.

    It is on CUDA if there is one.

    Args:
        folder: of the checkpoint.
        store: keeps features of images and vectors of texts between runs; None keeps none. The
            features of a backbone that was trained with the model serve no other: not kept.
        settings: how it answers.
        on_note: takes a line for a person when something damaged was dropped from the cache.

    Raises:
        RunError: no whole checkpoint, a backbone that cannot be had or is another one than the
            model was trained with, or a `keep` or metadata that the checkpoint cannot serve.
        StoreError: the cache cannot be made.
    """
    checkpoint = load_checkpoint(folder)
    if settings.metadata:
        checkpoint.card.check_metadata(_name(folder, checkpoint, settings))
    backbone = backbone_of(checkpoint)
    keeps_features = store is not None and not checkpoint.backbone
    return CheckpointPredictor(
        checkpoint=checkpoint,
        backbone=backbone,
        name=_name(folder, checkpoint, settings),
        settings=settings,
        cache=open_cache(store.features, backbone, on_note) if store and keeps_features else None,
        text=TextVectors(store.text_vectors) if store and settings.metadata else None,
        training_rows=checkpoint.training_rows,
    )


def load_named(
    name: str, settings: LoadSettings, on_note: Callable[[str], None]
) -> CheckpointPredictor:
    """The candidate that `[checkpoint:]DIR[#keep=N]` names; all else as `load_predictor`."""
    named = parse_checkpoint_name(name)
    chosen = PredictorSettings(metadata=settings.metadata, keep=named.keep)
    return load_predictor(named.folder, settings.store, chosen, on_note)


def _name(folder: Path, checkpoint: Checkpoint, settings: PredictorSettings) -> str:
    pruned = "" if settings.keep is None else f", {settings.keep} views before the backbone"
    return f"{folder.expanduser().resolve().name} on {checkpoint.card.backbone}{pruned}"


def _check_keep(checkpoint: Checkpoint, keep: int, name: str) -> None:
    views = checkpoint.model.settings.views
    if not 1 <= keep <= views:
        raise RunError("keep", found=keep, expected=f"1 to {views} views")
    if SCORER not in checkpoint.card.trained:
        raise RunError(
            name,
            found="a scorer that was never trained: it would choose views blindly",
            expected="one trained with the model",
            remedy="leave out #keep, or train again",
        )


def answers_fingerprint(
    checkpoint: Checkpoint, backbone: Backbone, settings: PredictorSettings, device: str
) -> str:
    """A hash of all that answers depend on; also of settings that no weight shows, as `heads`.

    Args:
        checkpoint: whose answers.
        backbone: of the checkpoint.
        settings: how it answers.
        device: the type of what computes, `cpu` or `cuda`.
    """
    identity = {
        "version": _VERSION,
        "weights": checkpoint.sha256,
        "model": asdict(checkpoint.card.settings),
        "backbone": backbone.fingerprint,
        "views": dict(checkpoint.card.views),
        "settings": asdict(settings),
        "torch": torch.__version__,
        "device": device,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
