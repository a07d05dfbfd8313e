"""A candidate from the Hugging Face hub or a folder saved like one: what most miners have.

The files are untrusted. So only safetensors and JSON are ever fetched or read, never code, and the
weights reach transformers as tensors: it is never given a folder in which it could find something
to unpickle (`pytorch_model.bin`, adapters).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers
from PIL import Image as PILImage
from safetensors.torch import load_file
from transformers import AutoConfig, AutoImageProcessor

from data.errors import RunError
from replay.candidates.device_copies import CopiesFromDevice
from replay.candidates.float32 import exact_float32
from replay.candidates.huggingface_files import (
    CONFIG,
    PROCESSORS,
    errors_as_one_line,
    file_hashes,
    folder_and_label,
    weight_files,
)
from replay.candidates.huggingface_labels import class_labels, has_sigmoid, roadwork_class
from replay.candidates.huggingface_limits import check_classes, check_layers, check_sides
from replay.candidates.huggingface_passes import Pass, Prepared, passes
from replay.candidates.out_of_memory import is_out_of_memory
from replay.candidates.predictor import Batch, Image, Predictions
from replay.candidates.safetensors_header import check_shapes, header_shapes, on_meta

# Raised when the same files would be answered differently by this code.
_VERSION = 1

# Settings of config.json that fetch or unpickle something else, or need other than float weights.
_REFUSED = (
    "quantization_config",
    "fusion_config",
    "attn_implementation",
    "_attn_implementation",
    "use_pretrained_backbone",
    "checkpoint_path",
)


@dataclass(frozen=True)
class HuggingFaceModel:
    """Predictor: an image classifier in float32, each image through its own image processor.

    `roadwork` is the number of the class that means roadwork; with `sigmoid` each logit is a
    probability by itself, else the classes share a softmax. `batch_size` images make a pass: with
    1 answers are the same bits however they are asked for, with more see `huggingface_passes`.
    Made by `load_hugging_face`.
    """

    name: str
    fingerprint: str
    model: Any
    processor: Any
    roadwork: int
    sigmoid: bool
    wants_metadata: bool = False
    batch_size: int = 1

    def predict(self, batch: Batch) -> Predictions:
        """Probability of roadwork for each image.

        Raises:
            RunError: the model's output is no table of logits, or memory ran out.
        """
        return self.begin_predict(batch).result()

    def begin_predict(self, batch: Batch) -> "_BegunPasses":
        """Give the device all passes; while a GPU computes one, the next is prepared here.

        Raises:
            RunError: as `predict`.
        """
        prepared = (self._prepared(image) for image in batch.images)
        with torch.inference_mode(), exact_float32(), self._out_of_memory_as_one_line():
            begun = [
                (images.places, CopiesFromDevice([self._logits(images)]))
                for images in passes(prepared, self.batch_size)
            ]
        return _BegunPasses(self, begun, len(batch.images))

    @property
    def _device(self) -> torch.device:
        device: torch.device = next(self.model.parameters()).device
        return device

    def _prepared(self, image: Image) -> Prepared:
        """An image by itself: a processor may do otherwise with several at once."""
        return dict(self.processor(images=_rgb(image), return_tensors="pt"))

    def _logits(self, images: Pass) -> torch.Tensor:
        """The logits of a pass, (batch size, classes), on the model's device."""
        logits: torch.Tensor = self.model(**images.to(self._device)).logits
        expected = (self.batch_size, self.model.config.num_labels)
        if tuple(logits.shape) != expected:
            raise RunError(
                f"logits of {self.name}", found=f"shape {(*logits.shape,)}", expected=f"{expected}"
            )
        return logits

    def probabilities(self, logits: torch.Tensor) -> npt.NDArray[np.float64]:
        """Of roadwork, a row each: sigmoid or softmax of the logits, in float64."""
        exact = logits.double()
        probabilities = exact.sigmoid() if self.sigmoid else exact.softmax(dim=1)
        answers: npt.NDArray[np.float64] = probabilities[:, self.roadwork].numpy()
        return answers

    @contextmanager
    def _out_of_memory_as_one_line(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            several = self.batch_size > 1
            raise RunError(
                f"{self.name}, {self.batch_size} image{'s' if several else ''} at once",
                found=f"out of memory on {self._device}",
                expected="room for them" if several else "room for it",
                remedy="choose a smaller --batch-size"
                if several
                else "free some, or choose a smaller model",
            ) from None


@dataclass(frozen=True)
class _BegunPasses:
    """Passes that a device was given: of each the places of its images, and its logits."""

    candidate: HuggingFaceModel
    passes: Sequence[tuple[Sequence[int], CopiesFromDevice]]
    images: int

    def done(self) -> bool:
        return all(logits.done() for _, logits in self.passes)

    def result(self) -> Predictions:
        probability = np.empty(self.images, np.float64)
        for places, copies in self.passes:
            (logits,) = copies.tensors()
            probability[places] = self.candidate.probabilities(logits)[: len(places)]
        return Predictions(probability)


def load_hugging_face(name: str, batch_size: int = 1) -> HuggingFaceModel:
    """Load the classifier named `hf:NAME_OR_DIR` or `hf:NAME_OR_DIR#LABEL`.

    A folder wins over a name on the hub. LABEL is the class that means roadwork, by its name in
    `id2label` or its number; needed only where the names leave a doubt. CUDA is used if present.

    Args:
        name: as above.
        batch_size: images a pass; more than 1 is part of the name and of the fingerprint.

    Raises:
        RunError: not found or not to be fetched, no safetensors, damaged, not an image classifier,
            no image processor, no telling which class means roadwork, or too little memory.
    """
    folder, label = folder_and_label(name)
    config = _config(folder, name)
    roadwork = roadwork_class(class_labels(config, name), label, name)
    weights = weight_files(folder, name)
    model = _model(config, weights, name)
    determinants = [roadwork, transformers.__version__, next(model.parameters()).device.type]
    several = batch_size > 1
    loaded = HuggingFaceModel(
        name=f"{name} in batches of {batch_size}" if several else name,
        fingerprint=_fingerprint(
            file_hashes(folder, weights), *determinants, *([batch_size] if several else [])
        ),
        model=model,
        processor=_processor(folder, name),
        roadwork=roadwork,
        sigmoid=has_sigmoid(config),
        batch_size=batch_size,
    )
    with errors_as_one_line(name, "an image processor whose images fit the model"):
        loaded.predict(Batch(["a grey image"], [np.full((224, 224, 3), 128, np.uint8)]))
    return loaded


def _config(folder: Path, name: str) -> Any:
    if not (folder / CONFIG).is_file():
        raise RunError(name, found=f"no {CONFIG}", expected="a model saved by save_pretrained")
    with errors_as_one_line(f"{CONFIG} of {name}", "that of an image classifier"):
        written = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        check_classes(written, f"{CONFIG} of {name}")
        # timm's own settings lie one level down
        settings = written | (written.get("model_args") or {})
        refused = [key for key in _REFUSED if settings.get(key)]
        architecture = str(written.get("architecture"))
        if ":" in architecture:  # one of timm's that names a hub or folder to load from
            refused.append(architecture)
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if refused:
        raise RunError(
            f"{CONFIG} of {name}",
            found=", ".join(refused),
            expected="plain float weights and transformers' own layers",
            remedy="save the model without",
        )
    if type(config) not in transformers.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING:
        raise RunError(name, found=f"model type {config.model_type}", expected="image classifier")
    return config


def _model(config: Any, weights: Sequence[Path], name: str) -> Any:
    """The model in float32, for inference, with every weight from the files."""
    architecture: Any = transformers.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING[type(config)]
    if isinstance(architecture, tuple):
        # Where one config serves several classes, config.json says which one was saved.
        saved = config.architectures or []
        architecture = next(
            (kind for kind in architecture if kind.__name__ in saved), architecture[0]
        )
    with errors_as_one_line(f"weights of {name}", "safetensors that fit its config.json"):
        shapes = header_shapes(weights)
        check_layers(config.to_dict(), shapes, f"{CONFIG} of {name}")
        with on_meta(shapes, f"weights of {name}"), _quiet():
            check_shapes(architecture(config), shapes, f"weights of {name}")
        tensors: dict[str, torch.Tensor] = {}
        for file in weights:
            tensors |= load_file(file)
        with _quiet():
            model, loaded = architecture.from_pretrained(
                None,
                config=config,
                state_dict=tensors,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
            )
    # transformers fills what is missing with random numbers: a backbone without its head.
    missing = sorted(loaded["missing_keys"])
    if missing:
        raise RunError(
            f"weights of {name}",
            found=f"none for {', '.join(missing[:3])}{' ...' if len(missing) > 3 else ''}",  # noqa: PLR2004
            expected="every layer of the classifier",
        )
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def _processor(folder: Path, name: str) -> Any:
    with errors_as_one_line(name, f"its image processor ({PROCESSORS[0]})"), _quiet():
        auto: Any = AutoImageProcessor
        processor = auto.from_pretrained(folder, trust_remote_code=False)
    check_sides(processor, f"{PROCESSORS[0]} of {name}")
    return processor


def _fingerprint(hashes: Mapping[str, str], *determinants: object) -> str:
    """A hash of the files' bytes and of all else here that the answers depend on."""
    described = [_VERSION, hashes, *determinants]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _rgb(image: Image) -> PILImage.Image:
    """As a PIL image: from a bare array of odd size the processors guess which side is colour."""
    squeezed = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image  # noqa: PLR2004
    return PILImage.fromarray(squeezed).convert("RGB")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences transformers' progress bars and reports: what matters of them becomes an error."""
    logs: Any = transformers.utils.logging
    level, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity(logs.CRITICAL)
    logs.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(level)
        if bars:
            logs.enable_progress_bar()
