"""The view scorer: chooses the views that the backbone is run on, from the global view alone."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from model.network.norms import layer_norm
from model.network.precision import computing_in
from model.network.pruning import GLOBAL_VIEW


class ViewScorer(nn.Module):
    """Predicts from the global view's feature alone the weight of each other view in the fusion.

    So the backbone is run on the global view first, and then only on the views with high scores.

    Args:
        features: width of the backbone's features.
        views: how many views there are with the global one.
        hidden: width of its one hidden layer.
    """

    def __init__(self, features: int, views: int, hidden: int) -> None:
        super().__init__()
        self.norm = layer_norm(features)
        self.hidden = nn.Linear(features, hidden)
        self.score = nn.Linear(hidden, views - 1)

    def forward(self, feature: torch.Tensor) -> torch.Tensor:
        """Scores (B, views - 1) of the views from 1 on; their softmax is the predicted share.

        The feature (B, features) is detached: the scorer's loss never changes the backbone. All is
        float32 in any precision, so that views are chosen alike from the model and by themselves.
        """
        with computing_in("fp32", feature.device):
            scores: torch.Tensor = self.score(F.gelu(self.hidden(self.norm(feature.detach()))))
        return scores

    def choose(self, feature: torch.Tensor, keep: int) -> torch.Tensor:
        """The views of highest score: (B, keep) in rising order, the global view first.

        Args:
            feature: (B, features) of the global view.
            keep: how many views with the global one, from 1 to all.
        """
        others = self(feature).topk(keep - 1, dim=1).indices.sort(dim=1).values + 1
        return F.pad(others, (1, 0), value=GLOBAL_VIEW)


def scorer_loss(scores: torch.Tensor, gates: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the softmax of the scores against each view's share of the gates.

    A share is the weight that the fusion gives the view among the seen ones, so ranking by score is
    ranking by expected weight, as much where all gates are nearly shut as where they are open. A
    view that was masked is left out; one that was pruned counts with a share of 0.

    Args:
        scores: (B, V - 1) of `ViewScorer`.
        gates: (B, V) of the fusion; no gradient flows into them.
        seen: bool (B, V), False where a view was masked.

    Returns:
        The mean over the challenges with a choice: two or more seen views beside the global one,
        and a gate that is not shut; 0 if there is none.
    """
    seen_others = seen[:, 1:]
    target = gates.detach()[:, 1:].float() * seen_others
    total = target.sum(dim=1, keepdim=True)
    has_choice = (seen_others.sum(dim=1) > 1) & (total.squeeze(1) > 0)
    shares = target / total.clamp_min(torch.finfo(total.dtype).tiny)
    # the lowest number, not -inf: 0 * -inf is NaN
    lowest = torch.finfo(torch.float32).min
    cross_entropies = -(
        shares * F.log_softmax(scores.float().masked_fill(~seen_others, lowest), dim=1)
    ).sum(dim=1)
    return (cross_entropies * has_choice).sum() / has_choice.sum().clamp_min(1)
