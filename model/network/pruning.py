"""Token pruning: views dropped between layers; `view_scorer` drops them before the backbone."""

from dataclasses import dataclass

import torch
from torch import nn

from model.network.norms import rms_norm
from model.network.precision import computing_in

GLOBAL_VIEW = 0
"""The view that is always kept: the whole image."""


@dataclass(frozen=True)
class KeptViews:
    """The tokens that go on to the next layer: K of V views.

    `tokens` (B, K, width); `views` (B, K), the number of the view of each token; `mask` bool
    (B, K), or None if none is masked. `weight` (B, K) is the mask with a straight-through gradient,
    in training, else None.
    """

    tokens: torch.Tensor
    views: torch.Tensor
    mask: torch.Tensor | None = None
    weight: torch.Tensor | None = None


class TokenPruning(nn.Module):
    """Keeps the views of highest learned score; the global view always, masked ones last.

    In inference the others are removed: later layers see K tokens. In training they stay as masked
    tokens that no view attends to and whose gate is 0, so that the answer is the same, while the
    straight-through weight carries a gradient to the scores of kept and dropped views alike.

    Args:
        width: of a token.
        keep: how many views go on.
    """

    def __init__(self, width: int, keep: int) -> None:
        super().__init__()
        self.keep = keep
        self.norm = rms_norm(width)
        self.score = nn.Linear(width, 1)

    def forward(self, views: KeptViews) -> KeptViews:
        """At most `keep` views, in the order in which they came (in training all, masked)."""
        if views.tokens.shape[1] <= self.keep:
            return views
        scores = self._scores(views.tokens)
        rank = scores.detach().masked_fill(views.views == GLOBAL_VIEW, torch.inf)
        if views.mask is not None:
            rank = rank.masked_fill(~views.mask, -torch.inf)
        chosen = rank.topk(self.keep, dim=1).indices.sort(dim=1).values
        return _masked(views, chosen, scores) if self.training else _gathered(views, chosen)

    def _scores(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, V) in float32 in any precision: rounding would make ties."""
        with computing_in("fp32", tokens.device):
            normed = self.norm(tokens.to(self.score.weight.dtype))
            scores: torch.Tensor = self.score(normed).squeeze(-1).float()
        return scores


def _gathered(views: KeptViews, chosen: torch.Tensor) -> KeptViews:
    width = views.tokens.shape[-1]
    return KeptViews(
        tokens=views.tokens.gather(1, chosen[..., None].expand(-1, -1, width)),
        views=views.views.gather(1, chosen),
        mask=None if views.mask is None else views.mask.gather(1, chosen),
    )


def _masked(views: KeptViews, chosen: torch.Tensor, scores: torch.Tensor) -> KeptViews:
    hard = torch.zeros_like(scores).scatter(1, chosen, 1.0)
    if views.mask is not None:
        hard = hard * views.mask
    soft = scores.sigmoid() if views.mask is None else scores.sigmoid() * views.mask
    # (soft - soft) first: `hard + soft - soft` would round, and a 0 must be exactly 0.
    return KeptViews(views.tokens, views.views, hard.bool(), hard + (soft - soft.detach()))
