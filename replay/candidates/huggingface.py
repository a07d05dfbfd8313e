"""A candidate from the Hugging Face hub or a folder saved like one: what most miners have.

The files are untrusted. So only safetensors and JSON are ever fetched or read, never code, and the
weights reach transformers as tensors: it is never given a folder in which it could find something
to unpickle (`pytorch_model.bin`, adapters).
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from huggingface_hub import snapshot_download
from PIL import Image as PILImage
from safetensors.torch import load_file
from transformers import AutoConfig, AutoImageProcessor

from data.errors import RunError
from replay.candidates.float32 import exact_float32
from replay.candidates.huggingface_labels import class_labels, has_sigmoid, roadwork_class
from replay.candidates.huggingface_limits import check_classes, check_layers, check_sides
from replay.candidates.predictor import Batch, Image, Predictions
from replay.candidates.safetensors_header import check_shapes, header_shapes, on_meta

PREFIX = "hf:"

# Raised when the same files would be answered differently by this code.
_VERSION = 1

_CONFIG = "config.json"
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_ADAPTER = "adapter_config.json"
_FETCHED = (_CONFIG, *_PROCESSORS, _WEIGHTS, _INDEX, "model-*.safetensors", _ADAPTER)
# Settings of config.json that fetch or unpickle something else, or need other than float weights.
_REFUSED = (
    "quantization_config",
    "fusion_config",
    "attn_implementation",
    "_attn_implementation",
    "use_pretrained_backbone",
    "checkpoint_path",
)

_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


@dataclass(frozen=True)
class HuggingFaceModel:
    """Predictor: an image classifier in float32, each image through its own image processor.

    `roadwork` is the number of the class that means roadwork; with `sigmoid` each logit is a
    probability by itself, else the classes share a softmax. Made by `load_hugging_face`.
    """

    name: str
    fingerprint: str
    model: Any
    processor: Any
    roadwork: int
    sigmoid: bool
    wants_metadata: bool = False

    def predict(self, batch: Batch) -> Predictions:
        """Probability of roadwork for each image.

        Raises:
            RunError: the model's output is no table of logits.
        """
        # One image a pass: the last bits of an answer depend on the shape of the pass and, as seen
        # with a ViT on a CPU, on the image's place in it; the runner's batches must not show.
        return Predictions(np.array([self._answer(image) for image in batch.images], np.float64))

    def _answer(self, image: Image) -> float:
        """Probability of roadwork: sigmoid or softmax of the logits (1, classes), in float64."""
        device = next(self.model.parameters()).device
        inputs = self.processor(images=_rgb(image), return_tensors="pt").to(device)
        with torch.inference_mode(), exact_float32():
            logits = self.model(**inputs).logits.double().cpu()
        expected = (1, self.model.config.num_labels)
        if tuple(logits.shape) != expected:
            raise RunError(
                f"logits of {self.name}", found=f"shape {(*logits.shape,)}", expected=f"{expected}"
            )
        probabilities = logits.sigmoid() if self.sigmoid else logits.softmax(dim=1)
        return float(probabilities[0, self.roadwork])


def load_hugging_face(name: str) -> HuggingFaceModel:
    """Load the classifier named `hf:NAME_OR_DIR` or `hf:NAME_OR_DIR#LABEL`.

    A folder wins over a name on the hub. LABEL is the class that means roadwork, by its name in
    `id2label` or its number; needed only where the names leave a doubt. CUDA is used if present.

    Raises:
        RunError: not found or not to be fetched, no safetensors, damaged, not an image classifier,
            no image processor, or no telling which class means roadwork.
    """
    folder_or_name, label = _split(name.removeprefix(PREFIX))
    folder = _folder(folder_or_name, name)
    config = _config(folder, name)
    roadwork = roadwork_class(class_labels(config, name), label, name)
    weights = _weight_files(folder, name)
    model = _model(config, weights, name)
    loaded = HuggingFaceModel(
        name=name,
        fingerprint=_fingerprint(folder, weights, roadwork, next(model.parameters()).device.type),
        model=model,
        processor=_processor(folder, name),
        roadwork=roadwork,
        sigmoid=has_sigmoid(config),
    )
    with _errors_as_one_line(name, "an image processor whose images fit the model"):
        loaded.predict(Batch(["a grey image"], [np.full((224, 224, 3), 128, np.uint8)]))
    return loaded


def _split(text: str) -> tuple[str, str | None]:
    """A folder or name, and the label chosen, if any; a folder's name may hold a # itself."""
    if "#" not in text or Path(text).expanduser().is_dir():
        return text, None
    folder_or_name, _, label = text.rpartition("#")
    return folder_or_name, label


def _folder(folder_or_name: str, name: str) -> Path:
    """The folder itself, or the hub's cached copy of the few files that are needed."""
    folder = Path(folder_or_name).expanduser()
    if folder_or_name and folder.is_dir():
        return folder
    if not _HUB_NAME.fullmatch(folder_or_name):
        raise RunError(name, found="no such folder", expected="a folder, or OWNER/NAME on the hub")
    with _errors_as_one_line(
        name, "a folder here, or a model on the Hugging Face hub or in its cache"
    ):
        return Path(snapshot_download(folder_or_name, allow_patterns=list(_FETCHED)))


def _config(folder: Path, name: str) -> Any:
    if not (folder / _CONFIG).is_file():
        raise RunError(name, found=f"no {_CONFIG}", expected="a model saved by save_pretrained")
    with _errors_as_one_line(f"{_CONFIG} of {name}", "that of an image classifier"):
        written = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        check_classes(written, f"{_CONFIG} of {name}")
        # timm's own settings lie one level down
        settings = written | (written.get("model_args") or {})
        refused = [key for key in _REFUSED if settings.get(key)]
        architecture = str(written.get("architecture"))
        if ":" in architecture:  # one of timm's that names a hub or folder to load from
            refused.append(architecture)
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if refused:
        raise RunError(
            f"{_CONFIG} of {name}",
            found=", ".join(refused),
            expected="plain float weights and transformers' own layers",
            remedy="save the model without",
        )
    if type(config) not in transformers.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING:
        raise RunError(name, found=f"model type {config.model_type}", expected="image classifier")
    return config


def _weight_files(folder: Path, name: str) -> list[Path]:
    """The safetensors files: one, or those that the index names."""
    if (folder / _ADAPTER).is_file():
        raise RunError(name, found="an adapter", expected="a whole model", remedy="merge it first")
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if not (folder / _INDEX).is_file():
        pickled = sorted(path.name for path in folder.glob("*.bin"))
        raise RunError(
            name,
            found=", ".join(pickled) or "no weights",
            expected=f"{_WEIGHTS} (pickled weights can run code, so they are never opened)",
            remedy="save the model again with save_pretrained",
        )
    with _errors_as_one_line(f"{_INDEX} of {name}", "a weight_map of tensors to files"):
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        # Only the last part of a name: an index may not point outside its folder.
        files = sorted({folder / Path(file).name for file in index["weight_map"].values()})
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise RunError(name, found=f"no {', '.join(missing) or 'weights'}", expected="every shard")
    return files


def _model(config: Any, weights: Sequence[Path], name: str) -> Any:
    """The model in float32, for inference, with every weight from the files."""
    architecture: Any = transformers.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING[type(config)]
    if isinstance(architecture, tuple):
        # Where one config serves several classes, config.json says which one was saved.
        saved = config.architectures or []
        architecture = next(
            (kind for kind in architecture if kind.__name__ in saved), architecture[0]
        )
    with _errors_as_one_line(f"weights of {name}", "safetensors that fit its config.json"):
        shapes = header_shapes(weights)
        check_layers(config.to_dict(), shapes, f"{_CONFIG} of {name}")
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
    with _errors_as_one_line(name, f"its image processor ({_PROCESSORS[0]})"), _quiet():
        auto: Any = AutoImageProcessor
        processor = auto.from_pretrained(folder, trust_remote_code=False)
    check_sides(processor, f"{_PROCESSORS[0]} of {name}")
    return processor


def _fingerprint(folder: Path, weights: Sequence[Path], roadwork: int, device: str) -> str:
    """A hash of the files' bytes and of all else here that the answers depend on."""
    settings = [folder / file for file in (_CONFIG, *_PROCESSORS) if (folder / file).is_file()]
    files = {}
    for file in [*settings, *weights]:
        with file.open("rb") as stream:
            files[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    described = [_VERSION, files, roadwork, transformers.__version__, device]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _rgb(image: Image) -> PILImage.Image:
    """As a PIL image: from a bare array of odd size the processors guess which side is colour."""
    squeezed = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image  # noqa: PLR2004
    return PILImage.fromarray(squeezed).convert("RGB")


@contextmanager
def _errors_as_one_line(what: str, expected: str) -> Iterator[None]:
    """What transformers raises is of any type, and often a page long: its first line is enough."""
    try:
        yield
    except RunError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        problem = f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
        raise RunError(what, found=problem, expected=expected) from error


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
