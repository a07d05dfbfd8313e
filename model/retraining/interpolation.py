"""A challenger between the champion's weights and those that were trained on from them.

Training on weighted rows makes a model better where they are and worse elsewhere; on the line
between both models much of the gain stays and little is lost (WiSE-FT, Wortsman et al., arXiv
2109.01903).
"""

from collections.abc import Mapping
from pathlib import Path

import torch

from model.backbone.weights import check_fit
from model.checkpoint.backbone_in_card import backbone_of, card_of, with_weights_named_in
from model.checkpoint.checkpoint import save_checkpoint
from model.network.street_model import StreetModel
from model.training.base_checkpoint import Base, base_backbone, load_base

INTERPOLATION = "interpolation"
"""Key of a card: how far its weights are from the champion's to the trained ones, and of both."""


def save_interpolated(champion: Base, trained: Path, out: Path, share: float) -> str:
    """Save the model at `share` of the way from a champion to what was trained on from it.

    Its card keeps no validation MCC, which is of the trained weights. Statistics of batch
    normalisation are interpolated too, counts are those of the trained model.

    Args:
        champion: what the training began with.
        trained: the folder of the training's checkpoint; it stays as it is.
        out: the folder of the result, written whole or not at all.
        share: 0..1; 1 gives the trained weights.

    Returns:
        The hash of the result's weights.

    Raises:
        RunError: no whole checkpoint of the same model in `trained`.
        WriteError: `out` cannot be written; it holds what it held before.
    """
    end = load_base(trained)
    card = end.checkpoint.card
    street = StreetModel(card.settings)
    before = champion.checkpoint.model.state_dict()
    street.load_state_dict(between(before, end.checkpoint.model.state_dict(), share))
    backbone = backbone_of(end.checkpoint, "cpu")
    if end.checkpoint.backbone:
        start = base_backbone(champion, backbone.settings, "cpu").trained_tensors()
        backbone.load_trained(between(start, end.checkpoint.backbone, share))
    training = {name: value for name, value in card.training.items() if name != "epoch"}
    training[INTERPOLATION] = {
        "share": share,
        "champion": champion.checkpoint.sha256,
        "trained": end.checkpoint.sha256,
    }
    return save_checkpoint(
        out,
        street,
        with_weights_named_in(card, card_of(street.settings, backbone, training)),
        backbone.trained_tensors(),
        end.rows,
    )


def between(
    start: Mapping[str, torch.Tensor], end: Mapping[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Tensors at `share`, 0..1, of the way; what is no float is that of the end.

    Computed in float64, a product and a sum at a time, and rounded once: the same bit by bit on
    every machine.

    Raises:
        RunError: tensors of other names, shapes or types.
    """
    check_fit(start, end, "weights to interpolate")
    return {
        name: (start[name].double() * (1 - share) + last.double() * share).to(last.dtype)
        if last.is_floating_point()
        else last.clone()
        for name, last in end.items()
    }
