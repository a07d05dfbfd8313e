"""A checkpoint: `model.safetensors`, `model.json` and, of a training, `training_rows.parquet`.

Nothing is ever unpickled. `model.json`, the card, names the hash of each other file, so that
weights never stand beside rows of another training; see `committed_files.py`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from data.errors import RunError
from model.checkpoint.committed_files import commit, committed, discard, settle
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from replay.candidates.predictor import TRAINING_ROWS

WEIGHTS = "model.safetensors"
MODEL, SCORER, BACKBONE = "model", "scorer", "backbone"
"""Parts of a model, as a card names those that were trained."""

CARD = "model.json"

# Where the card names the hash of each file.
_DIGESTS = {WEIGHTS: "sha256", TRAINING_ROWS: "training_rows_sha256"}
_FORMAT = "streetreplay-model"
# Raised when older code would read new files wrongly, or the other way round.
_VERSION = 2
_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_BACKBONE = "backbone."
_SHOWN = 3


@dataclass(frozen=True)
class ModelCard:
    """What a checkpoint is, beside its weights.

    `backbone` is a timm name, `backbone_fingerprint` tells its weights, `views` is the geometry of
    the views and `training` where the weights come from: both of JSON's own types. `training` says
    under `trained` which parts were (MODEL, SCORER, BACKBONE), and under `metadata` whether any was
    fed.
    """

    settings: ModelSettings
    backbone: str
    backbone_fingerprint: str
    views: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trained(self) -> Sequence[str]:
        """The parts that were trained; none where the card does not say."""
        parts = self.training.get("trained")
        return parts if isinstance(parts, list) else []

    def check_metadata(self, what: str) -> None:
        """Refuse to feed metadata to a model that was trained without any.

        Raises:
            RunError: the card says image-only.
        """
        if self.training.get("metadata") is False:
            raise RunError(
                "--metadata",
                found=f"{what}, trained on images alone",
                expected="a checkpoint that was trained with --metadata",
                remedy="leave out --metadata",
            )

    def check_backbone(self, name: str, fingerprint: str, views: Mapping[str, Any]) -> None:
        """Refuse features of another backbone or geometry: they would fit, and mean nothing.

        Raises:
            RunError: what differs, with both sides.
        """
        pairs = (
            ("backbone", name, self.backbone),
            ("weights of the backbone", fingerprint, self.backbone_fingerprint),
            ("geometry of the views", dict(views), dict(self.views)),
        )
        for what, found, expected in pairs:
            # as JSON: a loaded card has lists where settings have tuples
            if json.dumps(found, sort_keys=True) != json.dumps(expected, sort_keys=True):
                raise RunError(
                    what, found=found, expected=f"{expected}, which the checkpoint was trained with"
                )


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: the model in evaluation mode, its card, and the hash of its weights.

    `backbone` holds the backbone's own weights where they were trained too, else nothing;
    `restore` puts them into a backbone. `training_rows` is the file of the rows that had a part in
    the weights; None where the card names none.
    """

    model: StreetModel
    card: ModelCard
    sha256: str
    backbone: Mapping[str, torch.Tensor]
    training_rows: Path | None = None


def save_checkpoint(
    folder: Path,
    model: StreetModel,
    card: ModelCard,
    backbone: nn.Module | None = None,
    training_rows: bytes | None = None,
) -> str:
    """Write a checkpoint whole or not at all; files of other names in the folder stay.

    Args:
        folder: made if it does not exist; a checkpoint in it is replaced.
        model: its weights are stored as they are, bit by bit.
        card: what is stored beside them.
        backbone: whose weights are stored too; None where the card's fingerprint says enough.
        training_rows: a Parquet file's bytes, of the rows that had a part in the weights; None
            leaves the checkpoint without, whatever lay there.

    Returns:
        The hash of the weights' file.

    Raises:
        RunError: the card is of other settings than the model.
        WriteError: the folder cannot be written; it holds what it held before.
    """
    if card.settings != model.settings:
        raise RunError("settings of the card", found=card.settings, expected=f"{model.settings}")
    tensors = dict(model.state_dict())
    if backbone is not None:
        tensors |= {_BACKBONE + name: value for name, value in backbone.state_dict().items()}
    stored = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    files = {WEIGHTS: stored} | ({} if training_rows is None else {TRAINING_ROWS: training_rows})
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    written = {"format": _FORMAT, "version": _VERSION, **asdict(card)}
    written |= {key: digests.get(name) for name, key in _DIGESTS.items()}
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(RunError):  # nothing to settle without a whole card
        settle(folder, _read(folder)[1])
    commit(folder, folder / CARD, (json.dumps(written, indent=1) + "\n").encode(), files)
    if training_rows is None:
        discard(folder, TRAINING_ROWS)
    return digests[WEIGHTS]


def load_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, bit by bit what was saved, on the CPU.

    Raises:
        RunError: no checkpoint, a pickled one, damaged or cut short, of another format, weights
            that do not fit the settings beside them, or rows that are not those of the weights.
    """
    card, digests = _read(folder)
    _, stored = committed(folder, WEIGHTS, digests[WEIGHTS])
    try:
        tensors = load(stored)
    except SafetensorError as error:
        raise RunError(str(folder / WEIGHTS), found=error, expected="safetensors") from error
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(_BACKBONE)}
    # On `meta` nothing is allocated or drawn until the file is known to fit.
    with torch.device("meta"):
        model = StreetModel(card.settings)
    check_fit(model, own, str(folder / WEIGHTS))
    model.to_empty(device="cpu").load_state_dict(own)
    backbone = {
        name.removeprefix(_BACKBONE): tensor
        for name, tensor in tensors.items()
        if name.startswith(_BACKBONE)
    }
    rows = digests.get(TRAINING_ROWS)
    return Checkpoint(
        *(model.eval(), card, digests[WEIGHTS], backbone),
        None if rows is None else committed(folder, TRAINING_ROWS, rows)[0],
    )


def read_card(folder: Path) -> tuple[ModelCard, str]:
    """What `model.json` says, and the hash of the weights, which are not opened.

    Raises:
        RunError: as `load_checkpoint`.
    """
    card, digests = _read(folder)
    return card, digests[WEIGHTS]


def _read(folder: Path) -> tuple[ModelCard, dict[str, str]]:
    """The card, and the hashes of the files that it names."""
    path = folder / CARD
    _refuse_others(folder)
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(str(path), found=error, expected="a JSON object") from error
    form = (written.get("format"), written.get("version")) if isinstance(written, dict) else None
    if form != (_FORMAT, _VERSION):
        raise RunError(
            str(path),
            found=f"format and version {form}",
            expected=f"{(_FORMAT, _VERSION)}",
            remedy="train again, or use the version of StreetReplay that wrote it",
        )
    try:
        digests = {name: written[key] for name, key in _DIGESTS.items()}
        card = _card(written, path)
    except KeyError as error:
        raise RunError(str(path), found=f"no {error}", expected="every part of a card") from error
    return card, {name: str(digest) for name, digest in digests.items() if digest is not None}


def _refuse_others(folder: Path) -> None:
    if (folder / CARD).is_file():
        return
    given = [folder] if folder.is_file() else sorted(folder.glob("*"))
    pickled = [path.name for path in given if path.suffix.lower() in _PICKLED]
    if pickled:
        raise RunError(
            f"checkpoint {folder}",
            found=pickled[0],
            expected=f"{CARD} and {WEIGHTS} (pickled weights can run code: they are never opened)",
        )
    found = f"no {CARD}" if folder.is_dir() else "no such folder"
    raise RunError(f"checkpoint {folder}", found=found, expected=f"{CARD} and {WEIGHTS}")


def _card(written: dict[str, Any], path: Path) -> ModelCard:
    parts = {one.name: written[one.name] for one in fields(ModelCard)}
    wrong = [name for name in ("views", "training") if not isinstance(parts[name], dict)]
    if wrong:
        raise RunError(f"{wrong[0]} in {path}", found=repr(parts[wrong[0]]), expected="an object")
    return ModelCard(**parts | {"settings": _settings(parts["settings"], path)})


def _settings(written: Any, path: Path) -> ModelSettings:
    names = {one.name for one in fields(ModelSettings)}
    given = set(written) if isinstance(written, dict) else set()
    if given != names:
        missing, unknown = sorted(names - given), sorted(given - names)
        raise RunError(
            f"settings in {path}",
            found=f"unknown {unknown}, missing {missing}",
            expected="exactly the settings of this version",
        )
    return ModelSettings(**written)


def restore(module: nn.Module, tensors: Mapping[str, torch.Tensor], what: str) -> None:
    """Put weights into a module, every one and no other.

    Args:
        module: of the same parts, shapes and types.
        tensors: by the names of its `state_dict`, such as `Checkpoint.backbone`.
        what: names the weights in an error.

    Raises:
        RunError: what is missing, left over or of another shape or type, with both sides.
    """
    check_fit(module, tensors, what)
    module.load_state_dict(dict(tensors))


def check_fit(module: nn.Module, tensors: Mapping[str, torch.Tensor], what: str) -> None:
    """Compare weights with a module, which may be on the `meta` device; errors as `restore`."""
    own = module.state_dict()
    differences = {
        "missing": [name for name in own if name not in tensors],
        "left over": [name for name in tensors if name not in own],
        "different": [
            f"{name} {_form(tensors[name])} for {_form(own[name])}"
            for name in own
            if name in tensors and _form(tensors[name]) != _form(own[name])
        ],
    }
    found = "; ".join(f"{kind}: {_some(names)}" for kind, names in differences.items() if names)
    if found:
        raise RunError(
            what, found=found, expected=f"the {len(own)} tensors of {type(module).__name__}"
        )


def _form(tensor: torch.Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
