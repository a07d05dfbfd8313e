"""A checkpoint: a folder with `model.safetensors` and `model.json`. Nothing is ever unpickled.

`model.json` is the commit: it names the hash of the weights that belong to it. A save puts the new
weights beside the old ones first, then replaces `model.json`, then moves the weights to their name.
Whenever it is interrupted, the folder holds one whole checkpoint, the old or the new.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from data.errors import RunError
from data.whole_files import write_whole
from model.model_settings import ModelSettings
from model.street_model import StreetModel

WEIGHTS = "model.safetensors"
CARD = "model.json"

_PENDING = "model.safetensors.new"
_FORMAT = "streetreplay-model"
# Raised when older code would read new files wrongly, or the other way round.
_VERSION = 1
_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_BACKBONE = "backbone."
_SHOWN = 3


@dataclass(frozen=True)
class ModelCard:
    """What a checkpoint is, beside its weights.

    `backbone` is a timm name, `backbone_fingerprint` tells its weights, `views` is the geometry of
    the views and `training` where the weights come from: both of JSON's own types.
    """

    settings: ModelSettings
    backbone: str
    backbone_fingerprint: str
    views: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)

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
    `restore` puts them into a backbone.
    """

    model: StreetModel
    card: ModelCard
    sha256: str
    backbone: Mapping[str, torch.Tensor]


def save_checkpoint(
    folder: Path, model: StreetModel, card: ModelCard, backbone: nn.Module | None = None
) -> str:
    """Write a checkpoint whole or not at all; other files in the folder stay.

    Args:
        folder: made if it does not exist; a checkpoint in it is replaced.
        model: its weights are stored as they are, bit by bit.
        card: what is stored beside them.
        backbone: whose weights are stored too; None where the card's fingerprint says enough.

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
    digest = hashlib.sha256(stored).hexdigest()
    written = {"format": _FORMAT, "version": _VERSION, **asdict(card), "sha256": digest}
    folder.mkdir(parents=True, exist_ok=True)
    _settle(folder)
    write_whole(folder / _PENDING, stored)
    write_whole(folder / CARD, (json.dumps(written, indent=1) + "\n").encode())
    (folder / _PENDING).replace(folder / WEIGHTS)
    return digest


def _settle(folder: Path) -> None:
    """Name the weights that an interrupted save has committed, before others take their place."""
    pending = folder / _PENDING
    if not pending.is_file():
        return
    try:
        committed = read_card(folder)[1]
    except RunError:
        return
    if hashlib.sha256(pending.read_bytes()).hexdigest() == committed:
        pending.replace(folder / WEIGHTS)


def load_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, bit by bit what was saved, on the CPU.

    Raises:
        RunError: no checkpoint, a pickled one, damaged or cut short, of another format, or weights
            that do not fit the settings beside them.
    """
    card, digest = read_card(folder)
    stored = _weights(folder, digest)
    try:
        tensors = load(stored)
    except SafetensorError as error:
        raise RunError(str(folder / WEIGHTS), found=error, expected="safetensors") from error
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(_BACKBONE)}
    # On `meta` nothing is allocated or drawn until the file is known to fit.
    with torch.device("meta"):
        model = StreetModel(card.settings)
    _check_fit(model, own, str(folder / WEIGHTS), f"the settings in {CARD}")
    model.to_empty(device="cpu").load_state_dict(own)
    backbone = {
        name.removeprefix(_BACKBONE): tensor
        for name, tensor in tensors.items()
        if name.startswith(_BACKBONE)
    }
    return Checkpoint(model.eval(), card, digest, backbone)


def read_card(folder: Path) -> tuple[ModelCard, str]:
    """What `model.json` says, and the hash that it names; the weights are not opened.

    Raises:
        RunError: as `load_checkpoint`.
    """
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
        return _card(written, path), str(written["sha256"])
    except KeyError as error:
        raise RunError(str(path), found=f"no {error}", expected="every part of a card") from error


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


def _weights(folder: Path, digest: str) -> bytes:
    """The bytes that belong to the card: under their name, or still pending from a save."""
    found = "no such file"
    for name in (WEIGHTS, _PENDING):
        path = folder / name
        if path.is_file():
            stored = path.read_bytes()
            actual = hashlib.sha256(stored).hexdigest()
            if actual == digest:
                return stored
            found = f"sha256 {actual} ({len(stored):,} bytes)"
    raise RunError(
        str(folder / WEIGHTS),
        found=found,
        expected=f"sha256 {digest}, as {CARD} says",
        remedy="the file is damaged, cut short or of another checkpoint",
    )


def restore(module: nn.Module, tensors: Mapping[str, torch.Tensor], what: str) -> None:
    """Put weights into a module, every one and no other.

    Args:
        module: of the same parts, shapes and types.
        tensors: by the names of its `state_dict`, such as `Checkpoint.backbone`.
        what: names the weights in an error.

    Raises:
        RunError: what is missing, left over or of another shape or type, with both sides.
    """
    _check_fit(module, tensors, what, f"the {type(module).__name__}")
    module.load_state_dict(dict(tensors))


def _check_fit(
    module: nn.Module, tensors: Mapping[str, torch.Tensor], what: str, wanted: str
) -> None:
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
        raise RunError(what, found=found, expected=f"the {len(own)} tensors of {wanted}")


def _form(tensor: torch.Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
