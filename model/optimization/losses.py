"""The training losses: of the label, of each view, and of the model's smaller heads.

All are scalars in float32, whatever the precision of the output, on its device; none waits for the
device. A loss of which a batch holds nothing is 0, with gradients of 0.
"""

from dataclasses import dataclass, fields

import torch
from torch.nn import functional as F  # noqa: N812

from model.network.street_model import CLASSES, ModelOutput
from model.network.view_scorer import scorer_loss
from model.optimization.settings import LossSettings

# Divides sums over nothing, which are 0.
_TINY = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class Losses:
    """The losses of a batch, unweighted scalars; None where the weight is 0.

    Each is a mean over what this process has seen of the batch. In several processes each counts by
    its challenges (`Trainer`), so their mean is that over all for `label`; not where a challenge
    has fewer seen views than others (`views`, `consistency`), no known weather (`weather`) or no
    choice of views (`scorer`).
    """

    label: torch.Tensor
    views: torch.Tensor | None
    consistency: torch.Tensor | None
    weather: torch.Tensor | None
    scorer: torch.Tensor | None

    def by_name(self) -> dict[str, torch.Tensor]:
        """The losses that were computed."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: loss for name, loss in named.items() if loss is not None}

    def total(self, settings: LossSettings) -> torch.Tensor:
        """The sum of those computed, each times its weight: what is to be differentiated."""
        weighted = [getattr(settings, name) * loss for name, loss in self.by_name().items()]
        return torch.stack(weighted).sum()


def training_loss(
    output: ModelOutput,
    labels: torch.Tensor,
    weather: torch.Tensor,
    settings: LossSettings = LossSettings(),
) -> Losses:
    """All losses whose weight is not 0.

    Args:
        output: of the model, for B challenges.
        labels: float32 (B, 2), as `soft_labels` makes them, or mixtures of such rows (MixUp).
        weather: float32 (B, rows of the weather table), as in `weather_loss`.
        settings: the weights, and the focal loss's gamma; smoothing is the labels'.
    """
    gamma = settings.gamma
    view_logits, seen, gates = output.view_logits, output.seen, output.gates
    return Losses(
        label=focal_loss(output.logits, labels, gamma),
        views=view_loss(view_logits, seen, labels, gamma) if settings.views else None,
        consistency=consistency_loss(view_logits, gates, seen) if settings.consistency else None,
        weather=weather_loss(output.weather_logits, weather) if settings.weather else None,
        scorer=scorer_loss(output.scores, gates, seen) if settings.scorer else None,
    )


def soft_labels(labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """The share of each class in the label, float32 (B, 2), rows that sum to 1.

    Args:
        labels: int64 (B,), 0 or 1.
        smoothing: a share, 0..1, spread evenly over the classes, the label's own too (label
            smoothing, Szegedy et al. 2016, section 7).
    """
    hard = F.one_hot(labels, CLASSES).float()
    return (1 - smoothing) * hard + smoothing / CLASSES


def focal_loss(logits: torch.Tensor, labels: torch.Tensor, gamma: float) -> torch.Tensor:
    """Focal loss: mean over challenges of the sum over classes of -y (1 - p)**gamma log p.

    Lin et al. 2017, eq. 4, without class weights, for labels that are shares y. For hard labels it
    is torchvision's `sigmoid_focal_loss` of the logits' difference, whose gradient is NaN for gamma
    below 1 where an answer is certain.

    Args:
        logits: (B, 2).
        labels: (B, 2), shares.
        gamma: at least 0; 0 is cross-entropy.
    """
    return _focal_losses(logits, labels, gamma).mean()


def view_loss(
    view_logits: torch.Tensor, seen: torch.Tensor, labels: torch.Tensor, gamma: float
) -> torch.Tensor:
    """Mean focal loss of the seen views against their challenge's label; 0 if none was seen.

    Roadwork is in a few views, so the label is noise for the others; but this is the short way by
    which a backbone of random weights learns at all.

    Args:
        view_logits: (B, V, 2), anything where not seen.
        seen: bool (B, V).
        labels: (B, 2), shares.
        gamma: as in `focal_loss`.
    """
    each = _focal_losses(_seen_logits(view_logits, seen), labels[:, None], gamma)
    return _mean_where(each, seen)


def consistency_loss(
    view_logits: torch.Tensor, gates: torch.Tensor, seen: torch.Tensor
) -> torch.Tensor:
    """Mean over seen views of KL(prediction || mean prediction), in nats.

    The mean is over the challenge's seen views, weighted by their gates as the fusion weights them.
    It is the teacher: no gradient flows into it, nor into the gates. A view that was pruned weighs
    nothing in it, but is drawn to it. A challenge whose gates are all 0 has no mean and is left
    out; where all challenges are, the loss is 0.

    Args:
        view_logits: (B, V, 2), anything where not seen.
        gates: (B, V) of the fusion, 0..1; anything where not seen.
        seen: bool (B, V).
    """
    log_probability = F.log_softmax(_seen_logits(view_logits, seen), dim=-1)
    weights = gates.detach().float().masked_fill(~seen, 0.0)
    has_mean = weights.sum(dim=1) > 0
    # a challenge that is left out gets equal weights: the logarithm of no weight at all is -inf
    weights = torch.where(has_mean[:, None], weights, 1.0)
    shares = weights / weights.sum(dim=1, keepdim=True)
    # log of the sum over views of share * probability, as a sum of exponentials: finite where all
    # views are certain, of which a sum of probabilities rounds to 0
    log_mean = (shares.log()[..., None] + log_probability.detach()).logsumexp(dim=1, keepdim=True)
    each = F.kl_div(log_mean, log_probability, reduction="none", log_target=True).sum(dim=-1)
    return _mean_where(each, seen & has_mean[:, None])


def weather_loss(logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against the shares of weather values, the mean where the weather is known.

    A row counts by the sum of its shares: a mixture (MixUp) of a challenge whose weather is known
    with one whose is not counts by the former's part.

    Args:
        logits: (B, rows of the weather table).
        shares: the same shape, rows that sum to 1, to 0 where the weather is not known, or to
            something between in mixtures.
    """
    total = F.cross_entropy(logits.float(), shares, reduction="sum")
    return total / shares.sum().clamp_min(_TINY)


def _focal_losses(logits: torch.Tensor, labels: torch.Tensor, gamma: float) -> torch.Tensor:
    """The focal loss (...) of each label (..., 2) from logits (..., 2)."""
    log_probability = F.log_softmax(logits.float(), dim=-1)
    # Of two classes, 1 - p is the other's probability: exact where p is near 1. As a logarithm its
    # power has a finite slope for any gamma: x**gamma has none at 0 for gamma below 1.
    focus = (gamma * log_probability.flip(-1)).exp()
    return -(labels * focus * log_probability).sum(dim=-1)


def _seen_logits(view_logits: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """In float32, 0 where not seen: NaN times 0 is NaN, in the gradient too."""
    return view_logits.float().masked_fill(~seen[..., None], 0.0)


def _mean_where(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """The mean of the finite values at which `counted` is True; 0 where it is nowhere."""
    return (values * counted).sum() / counted.sum().clamp_min(1)
