"""The training loss: focal loss of the label, and the losses of the model's smaller heads."""

import torch
from torch.nn import functional as F  # noqa: N812

from model.network.street_model import ModelOutput
from model.network.view_scorer import scorer_loss
from model.training.settings import LossSettings


def focal_loss(logits: torch.Tensor, labels: torch.Tensor, gamma: float) -> torch.Tensor:
    """Focal loss: mean of -(1 - p)**gamma * log(p), p the probability of the true class.

    Lin et al. 2017, eq. 4, without class weights. For two classes it is torchvision's
    `sigmoid_focal_loss` of the logits' difference, whose gradient is NaN for gamma below 1 where an
    answer is certain.

    Args:
        logits: (B, classes).
        labels: int64 (B,).
        gamma: at least 0; 0 is cross-entropy.
    """
    return _each_focal_loss(logits, labels, gamma).mean()


def _each_focal_loss(logits: torch.Tensor, labels: torch.Tensor, gamma: float) -> torch.Tensor:
    """The focal loss of each label, (...) from logits (..., classes) and labels (...)."""
    log_probability = F.log_softmax(logits.float(), dim=-1)
    true = log_probability.gather(-1, labels[..., None]).squeeze(-1)
    # 1 - p as a sum over the other classes: exact where p is near 1
    other = log_probability.scatter(-1, labels[..., None], -torch.inf).exp().sum(dim=-1)
    # a power below 1 has no slope at 0
    other = other.clamp_min(torch.finfo(other.dtype).tiny)
    return other.pow(gamma) * -true


def view_loss(
    view_logits: torch.Tensor, seen: torch.Tensor, labels: torch.Tensor, gamma: float
) -> torch.Tensor:
    """Mean focal loss of the seen views against their challenge's label; 0 if none was seen.

    Roadwork is in a few views, so the label is noise for the others; but this is the short way by
    which a backbone of random weights learns at all.

    Args:
        view_logits: (B, V, 2).
        seen: bool (B, V).
        labels: int64 (B,).
        gamma: as in `focal_loss`.
    """
    each = _each_focal_loss(view_logits, labels[:, None].expand_as(seen), gamma)
    return (each * seen).sum() / seen.sum().clamp_min(1)


def weather_loss(logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against the shares of weather values, the mean where the weather is known.

    Args:
        logits: (B, rows of the weather table).
        shares: the same shape, rows that sum to 1, or to 0 where the weather is not known.
    """
    total = F.cross_entropy(logits.float(), shares, reduction="none").sum()
    return total / (shares.sum(dim=1) > 0).sum().clamp_min(1)


def training_loss(
    output: ModelOutput,
    labels: torch.Tensor,
    weather: torch.Tensor,
    settings: LossSettings = LossSettings(),
) -> torch.Tensor:
    """The weighted sum of all losses, a scalar.

    Args:
        output: of the model, for B challenges.
        labels: int64 (B,).
        weather: float32 (B, rows of the weather table), as in `weather_loss`.
        settings: the weights.
    """
    return (
        focal_loss(output.logits, labels, settings.gamma)
        + settings.views * view_loss(output.view_logits, output.seen, labels, settings.gamma)
        + settings.weather * weather_loss(output.weather_logits, weather)
        + settings.scorer * scorer_loss(output.scores, output.gates, output.seen)
    )
