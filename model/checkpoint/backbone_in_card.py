"""The backbone of a checkpoint: described in its card, and loaded again as the card describes."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import timm
import torch

from data.errors import RunError
from model.backbone.backbone import Backbone, empty_backbone, load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.card import CARD, ModelCard
from model.checkpoint.checkpoint import Checkpoint, check_fit, restore
from model.network.settings import ModelSettings
from model.views.views import VIEWS_VERSION

_WEIGHTS = "backbone"


def card_of(
    settings: ModelSettings, backbone: Backbone, training: Mapping[str, Any] | None = None
) -> ModelCard:
    """The card of a model on a backbone; `backbone_of` loads the same backbone by it.

    Args:
        settings: the model's.
        backbone: as it is now: after training, if it was trained too.
        training: where the model's weights come from; the key `backbone` is added.

    Raises:
        RunError: the backbone computes in another precision than the model.
    """
    backbone.check_precision(settings.precision)
    backbone_settings = backbone.settings
    weights = {
        "weights": backbone_settings.weights,
        "seed": backbone_settings.seed,
        "timm": timm.__version__,
    }
    return ModelCard(
        settings=settings,
        backbone=backbone_settings.name,
        backbone_fingerprint=backbone.fingerprint,
        views=_geometry(backbone),
        training={**(training or {}), _WEIGHTS: weights},
    )


def backbone_of(checkpoint: Checkpoint, device: torch.device | str | None = None) -> Backbone:
    """The frozen backbone of a checkpoint, in the precision of its model.

    Its weights are the checkpoint's own, else those that the card names.

    Args:
        checkpoint: its card describes the backbone.
        device: as in `load_backbone`.

    Raises:
        RunError: the card does not say which, it cannot be had, or it is not the one that the
            model was trained with.
    """
    card = checkpoint.card
    written = card.training.get(_WEIGHTS)
    written = written if isinstance(written, dict) else {}
    _check_version(card, written.get("timm"))
    trained = bool(checkpoint.backbone)
    settings = BackboneSettings(
        name=card.backbone,
        # the trained weights are in the checkpoint: none need be fetched
        weights=RANDOM if trained else _of_type(written, "weights", str),
        side=_of_type(card.views, "side", int),
        seed=0 if trained else _of_type(written, "seed", int),
        precision=card.settings.precision,
    )
    what = f"weights of {card.backbone} in the checkpoint"
    if trained:
        # A card can name a backbone of any size: nothing is allocated for one that does not fit.
        check_fit(empty_backbone(settings), checkpoint.backbone, what)
    backbone = load_backbone(settings, device)
    if trained:
        restore(backbone, checkpoint.backbone, what)
    card.check_backbone(backbone.settings.name, backbone.fingerprint, _geometry(backbone))
    return backbone


def _geometry(backbone: Backbone) -> dict[str, Any]:
    return {"version": VIEWS_VERSION, **asdict(backbone.views)}


def _check_version(card: ModelCard, version: object) -> None:
    """Refuse another version of timm: its fingerprint would differ, and two hashes explain less."""
    if version != timm.__version__:
        raise RunError(
            f"timm {timm.__version__}",
            found=f"{card.backbone} as timm {version} makes it in {CARD}",
            expected="the same version",
            remedy=f"pip install timm=={version}, or train again",
        )


def _of_type(written: Mapping[str, Any], name: str, kind: type) -> Any:
    value = written.get(name)
    if not isinstance(value, kind):
        raise RunError(
            f"{name} of the backbone in {CARD}", found=repr(value), expected=f"{kind.__name__}"
        )
    return value
