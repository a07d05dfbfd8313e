"""What training minimises: focal loss on the label, and what the model's smaller heads need."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F  # noqa: N812

from model.network.pruning import scorer_loss
from model.network.street_model import ModelOutput


@dataclass(frozen=True)
class LossSettings:
    """Weights of the terms beside the label's own, and the focusing of that one.

    `gamma` of the focal loss, 0 is cross-entropy. `views`, `weather` and `scorer` weigh what each
    view says of the label for itself, the weather that an image shows, and the scorer that
    foretells views' weights.
    """

    gamma: float = 2.0
    views: float = 1.0
    weather: float = 0.1
    scorer: float = 0.1


def focal_loss(logits: torch.Tensor, labels: torch.Tensor, gamma: float) -> torch.Tensor:
    """Cross-entropy in which what is answered well counts less: mean of -(1 - p)**gamma * log(p).

    p is the probability of the true class (Lin et al. 2017, eq. 4, without class weights).

    Args:
        logits: (B, classes).
        labels: int64 (B,).
        gamma: at least 0; 0 is cross-entropy.
    """
    return _focal(logits, labels, gamma).mean()


def _focal(logits: torch.Tensor, labels: torch.Tensor, gamma: float) -> torch.Tensor:
    """Of each, (...) from (..., classes) and (...)."""
    log_probability = F.log_softmax(logits.float(), dim=-1)
    right = log_probability.gather(-1, labels[..., None]).squeeze(-1)
    # 1 - p as a sum over the other classes: exact where p is near 1
    other = log_probability.scatter(-1, labels[..., None], -torch.inf).exp().sum(dim=-1)
    # a power below 1 has no slope at 0
    other = other.clamp_min(torch.finfo(other.dtype).tiny)
    return other.pow(gamma) * -right


def view_loss(
    view_logits: torch.Tensor, seen: torch.Tensor, labels: torch.Tensor, gamma: float
) -> torch.Tensor:
    """Mean focal loss of the seen views against their challenge's label; 0 if none was seen.

    Works are in a few views, so the label is noise for the others; but it is the short way by which
    a backbone from scratch learns at all.

    Args:
        view_logits: (B, V, 2).
        seen: bool (B, V).
        labels: int64 (B,).
        gamma: as in `focal_loss`.
    """
    each = _focal(view_logits, labels[:, None].expand_as(seen), gamma)
    return (each * seen).sum() / seen.sum().clamp_min(1)


def weather_loss(logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against the shares of weather values; the mean over challenges that have some.

    Args:
        logits: (B, rows of the weather table).
        shares: the same shape, rows that sum to 1, or to 0 where the weather is not known.
    """
    each = -(F.log_softmax(logits.float(), dim=1) * shares).sum(dim=1)
    return each.sum() / (shares.sum(dim=1) > 0).sum().clamp_min(1)


def training_loss(
    output: ModelOutput,
    labels: torch.Tensor,
    weather: torch.Tensor,
    settings: LossSettings = LossSettings(),
) -> torch.Tensor:
    """All terms by their weights, a scalar; (B,) labels, (B, rows of the weather table) shares."""
    return (
        focal_loss(output.logits, labels, settings.gamma)
        + settings.views * view_loss(output.view_logits, output.seen, labels, settings.gamma)
        + settings.weather * weather_loss(output.weather_logits, weather)
        + settings.scorer * scorer_loss(output.scores, output.gates, output.seen)
    )
