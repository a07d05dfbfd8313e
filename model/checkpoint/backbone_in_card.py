"""The backbone of a checkpoint: described in its card, and loaded again as the card describes."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import timm
import torch

from data.errors import RunError
from model.backbone.adapters import EXPLORA
from model.backbone.backbone import Backbone, empty_backbone, load_backbone
from model.backbone.settings import RANDOM, AdapterSettings, BackboneSettings
from model.backbone.trained_parts import trained_names
from model.backbone.weights import check_fit
from model.checkpoint.card import BACKBONE, BACKBONE_KEY, CARD, ModelCard
from model.checkpoint.checkpoint import Checkpoint
from model.network.settings import ModelSettings
from model.views.views import VIEWS_VERSION


def card_of(
    settings: ModelSettings, backbone: Backbone, training: Mapping[str, Any] | None = None
) -> ModelCard:
    """The card of a model on a backbone; `backbone_of` loads the same backbone by it.

    Args:
        settings: the model's.
        backbone: as it is now: after training, if it was trained too.
        training: where the model's weights come from. The key `backbone` is added, and `trained`
            gets or loses the backbone as its settings say.

    Raises:
        RunError: the backbone computes in another precision than the model.
    """
    backbone.check_precision(settings.precision)
    training = dict(training or {})
    if "trained" in training:
        others = [part for part in training["trained"] if part != BACKBONE]
        training["trained"] = others + [BACKBONE] * (backbone.settings.trained != "none")
    return ModelCard(
        settings=settings,
        backbone=backbone.settings.name,
        backbone_fingerprint=backbone.fingerprint,
        views=_geometry(backbone),
        training={**training, BACKBONE_KEY: _described(backbone)},
    )


def with_weights_named_in(first: ModelCard, card: ModelCard) -> ModelCard:
    """A card that names the backbone's weights as an earlier one: those of its first training."""
    weights = first.training[BACKBONE_KEY]["weights"]
    described = {**card.training[BACKBONE_KEY], "weights": weights}
    return replace(card, training={**card.training, BACKBONE_KEY: described})


def backbone_of(checkpoint: Checkpoint, device: torch.device | str | None = None) -> Backbone:
    """The frozen backbone of a checkpoint, in the precision of its model.

    It has the weights that the card names, and what was trained of it from the checkpoint.

    Args:
        checkpoint: its card describes the backbone.
        device: as in `load_backbone`.

    Raises:
        RunError: the card does not say which, it cannot be had, or it is not the one that the
            model was trained with.
    """
    card = checkpoint.card
    settings = backbone_settings(card)
    # A card can name a backbone of any size: nothing is allocated for one that does not fit.
    check_fit(
        checkpoint.backbone,
        empty_backbone(settings).trained_tensors(),
        f"weights of {card.backbone} in the checkpoint",
    )
    backbone = load_backbone(settings, device)
    backbone.load_trained(checkpoint.backbone)
    backbone.freeze()
    card.check_backbone(backbone.settings.name, backbone.fingerprint, _geometry(backbone))
    return backbone


def backbone_settings(card: ModelCard) -> BackboneSettings:
    """The settings of the backbone that a card describes; `weights` are RANDOM if it has all.

    Raises:
        RunError: the card does not say, or other versions of packages made it.
    """
    written = card.training.get(BACKBONE_KEY)
    written = written if isinstance(written, dict) else {}
    _check_version(card, "timm", written.get("timm"), timm.__version__)
    trained, adapter = card.backbone_trained, written.get("adapter")
    if trained == "adapters":
        _check_version(card, "peft", written.get("peft"), version("peft"))
    options: dict[str, Any] = {}
    if written.get("last_blocks") is not None:
        options["last_blocks"] = _of_type(written, "last_blocks", int)
    if adapter is not None:
        options["adapter"] = _adapter(adapter)
    weights, seed = _of_type(written, "weights", str), _of_type(written, "seed", int)
    return BackboneSettings(
        name=card.backbone,
        # all weights are in the checkpoint then: none need be fetched
        weights=RANDOM if trained == "all" else weights,
        side=_of_type(card.views, "side", int),
        seed=seed,
        trained=trained,
        precision=card.settings.precision,
        **options,
    )


def _described(backbone: Backbone) -> dict[str, Any]:
    """Where a backbone's weights come from and what of it was trained, for its card.

    `untrained` is the hash of what was not trained, where some was.
    """
    settings = backbone.settings
    adapted = settings.trained == "adapters"
    some_blocks = settings.trained == "last" or (adapted and settings.adapter.kind == EXPLORA)
    return {
        "weights": settings.weights,
        "seed": settings.seed,
        "timm": timm.__version__,
        "trained": settings.trained,
        "last_blocks": settings.last_blocks if some_blocks else None,
        "adapter": asdict(settings.adapter) if adapted else None,
        "peft": version("peft") if adapted else None,
        "untrained": _untrained_digest(backbone) if adapted or some_blocks else None,
    }


def _adapter(written: Any) -> AdapterSettings:
    try:
        return AdapterSettings(**written)
    except TypeError as error:
        raise RunError(
            f"adapter of the backbone in {CARD}",
            found=repr(written),
            expected="the settings of an adapter",
        ) from error


def _untrained_digest(backbone: Backbone) -> str:
    trained = trained_names(backbone.model, backbone.settings)
    digest = hashlib.sha256()
    for name, tensor in sorted(backbone.model.state_dict().items()):
        if name not in trained:
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _geometry(backbone: Backbone) -> dict[str, Any]:
    return {"version": VIEWS_VERSION, **asdict(backbone.views)}


def _check_version(card: ModelCard, package: str, written: object, installed: str) -> None:
    """Refuse another version: its fingerprint would differ, and two hashes explain less."""
    if written != installed:
        raise RunError(
            f"{package} {installed}",
            found=f"{card.backbone} as {package} {written} makes it in {CARD}",
            expected="the same version",
            remedy=f"pip install {package}=={written}, or train again",
        )


def _of_type(written: Mapping[str, Any], name: str, kind: type) -> Any:
    value = written.get(name)
    if not isinstance(value, kind):
        raise RunError(
            f"{name} of the backbone in {CARD}", found=repr(value), expected=f"{kind.__name__}"
        )
    return value
