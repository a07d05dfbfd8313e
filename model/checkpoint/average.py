"""The mean of several checkpoints' weights, as one model (Wortsman et al., arXiv 2203.05482)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from data.errors import RunError
from model.backbone.weights import check_fit
from model.checkpoint.card import BACKBONE_KEY, ModelCard
from model.checkpoint.checkpoint import Checkpoint


@dataclass(frozen=True)
class AveragedWeights:
    """Weights of a model by name, and of what was trained of its backbone; nothing if frozen."""

    model: dict[str, torch.Tensor]
    backbone: dict[str, torch.Tensor]


def average_weights(checkpoints: Sequence[Checkpoint]) -> AveragedWeights:
    """The mean of the weights of checkpoints that differ in their weights only.

    Each mean is computed in float64 from the values in rising order, and rounded once to their own
    type: it is the same bit by bit whatever the order of the checkpoints, the processor and the
    number of threads. Numbers that are no floats, such as counts, must be equal.

    Args:
        checkpoints: at least one; they stay as they are.

    Raises:
        RunError: no checkpoint, or those of other settings, views, backbones or trained parts.
    """
    if not checkpoints:
        raise RunError("checkpoints to average", found="none", expected="at least one")
    for other in checkpoints[1:]:
        _check_alike(checkpoints[0].card, other.card)
    return AveragedWeights(
        model=_averages([checkpoint.model.state_dict() for checkpoint in checkpoints]),
        backbone=_averages([checkpoint.backbone for checkpoint in checkpoints]),
    )


def _averages(weights: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    for other in weights[1:]:
        check_fit(other, weights[0], "weights of a checkpoint to average")
    return {name: _average(name, [own[name] for own in weights]) for name in weights[0]}


def _average(name: str, values: Sequence[torch.Tensor]) -> torch.Tensor:
    first = values[0]
    if not first.is_floating_point():
        for other in values[1:]:
            if not torch.equal(other, first):
                raise RunError(
                    f"{name} of the checkpoints to average",
                    found="whole numbers that differ, which have no mean",
                    expected="equal ones",
                )
        return first.clone()
    # one checkpoint after another: `sum` would choose an order of its own
    smallest, *larger = torch.stack([value.double() for value in values]).sort(dim=0).values
    total: torch.Tensor = smallest
    for value in larger:
        total = total + value
    return (total / len(values)).to(first.dtype)


def _check_alike(first: ModelCard, other: ModelCard) -> None:
    for (what, expected), actual in zip(
        _shared(first).items(), _shared(other).values(), strict=True
    ):
        if actual != expected:
            raise RunError(
                f"{what} of a checkpoint to average",
                found=actual,
                expected=f"{expected}, as in the first",
            )


def _shared(card: ModelCard) -> dict[str, Any]:
    """What checkpoints must have in common, in words for an error."""
    frozen = card.backbone_trained == "none"
    return {
        "settings": card.settings,
        "backbone": card.backbone,
        "views": dict(card.views),
        "weights and trained parts of the backbone": card.training.get(BACKBONE_KEY),
        "frozen backbone": card.backbone_fingerprint if frozen else None,
        "training with metadata": card.training.get("metadata"),
    }
