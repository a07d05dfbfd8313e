"""Views that are not worth their time: dropped between layers, or never run at all."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

GLOBAL_VIEW = 0
"""The view that is always kept: the whole image."""


@dataclass(frozen=True)
class KeptViews:
    """What goes on to the next layer, K of V views.

    `tokens` (B, K, width); `views` (B, K), which view each is; `mask` bool (B, K) or None if all
    are there. `weight` (B, K) is the mask with a gradient, in training, else None.
    """

    tokens: torch.Tensor
    views: torch.Tensor
    mask: torch.Tensor | None = None
    weight: torch.Tensor | None = None


class TokenPruning(nn.Module):
    """Keeps the views of highest learned score; the global view always, masked ones last.

    In inference the others are really gone: later layers see K tokens. In training they stay as
    tokens that nobody looks at and whose gate is 0, so that the answer is the same, while the
    straight-through weight lets the loss say of kept and dropped views alike whether they were
    worth keeping.

    Args:
        width: of a token.
        keep: how many views go on.
    """

    def __init__(self, width: int, keep: int) -> None:
        super().__init__()
        self.keep = keep
        self.norm = nn.RMSNorm(width)
        self.score = nn.Linear(width, 1)

    def forward(self, views: KeptViews) -> KeptViews:
        """At most `keep` views, in the order in which they came (in training: marked by mask)."""
        if views.tokens.shape[1] <= self.keep:
            return views
        scores = self.score(self.norm(views.tokens)).squeeze(-1).float()
        rank = scores.detach().masked_fill(views.views == GLOBAL_VIEW, torch.inf)
        if views.mask is not None:
            rank = rank.masked_fill(~views.mask, -torch.inf)
        chosen = rank.topk(self.keep, dim=1).indices.sort(dim=1).values
        return _marked(views, chosen, scores) if self.training else _gathered(views, chosen)


def _gathered(views: KeptViews, chosen: torch.Tensor) -> KeptViews:
    width = views.tokens.shape[-1]
    return KeptViews(
        tokens=views.tokens.gather(1, chosen[..., None].expand(-1, -1, width)),
        views=views.views.gather(1, chosen),
        mask=None if views.mask is None else views.mask.gather(1, chosen),
    )


def _marked(views: KeptViews, chosen: torch.Tensor, scores: torch.Tensor) -> KeptViews:
    hard = torch.zeros_like(scores).scatter(1, chosen, 1.0)
    if views.mask is not None:
        hard = hard * views.mask
    soft = scores.sigmoid() if views.mask is None else scores.sigmoid() * views.mask
    # (soft - soft) first: `hard + soft - soft` would round, and a 0 must be exactly 0.
    return KeptViews(views.tokens, views.views, hard.bool(), hard + (soft - soft.detach()))


class ViewScorer(nn.Module):
    """Foretells the gates of the other views from the global view's feature alone.

    It sees the feature before anything else is run, so that the backbone need only be run on the
    views that it chooses.

    Args:
        features: width of the backbone's features.
        views: how many views there are with the global one.
        hidden: width of its one hidden layer.
    """

    def __init__(self, features: int, views: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.hidden = nn.Linear(features, hidden)
        self.score = nn.Linear(hidden, views - 1)

    def forward(self, feature: torch.Tensor) -> torch.Tensor:
        """Scores (B, views - 1), the logits of views 1.. ; from features (B, features).

        The feature is detached: the scorer learns beside the model and never bends its backbone.
        """
        scores: torch.Tensor = self.score(F.gelu(self.hidden(self.norm(feature.detach()))))
        return scores

    def choose(self, feature: torch.Tensor, keep: int) -> torch.Tensor:
        """The views worth running: (B, keep) in rising order, the global view first.

        Args:
            feature: (B, features) of the global view.
            keep: how many views with the global one, from 1 to all.
        """
        others = self(feature).topk(keep - 1, dim=1).indices.sort(dim=1).values + 1
        return F.pad(others, (1, 0), value=GLOBAL_VIEW)


def scorer_loss(scores: torch.Tensor, gates: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the scorer's logits against the model's own gates.

    Its least value is at the expected gate given the global view, so ranking by score is ranking
    by expected gate. A view that was never there says nothing and is left
    out; one that was pruned has gate 0, and that is an answer.

    Args:
        scores: (B, V - 1) of `ViewScorer`.
        gates: (B, V) of the fusion; no gradient flows into them.
        seen: bool (B, V), False where a view was masked.

    Returns:
        The mean over the seen views, a scalar; 0 if none was seen.
    """
    target, counts = gates.detach()[:, 1:].float(), seen[:, 1:].float()
    each = F.binary_cross_entropy_with_logits(scores.float(), target, reduction="none")
    return (each * counts).sum() / counts.sum().clamp_min(1)
