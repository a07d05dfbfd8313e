import numpy as np
import pytest
import torch
from scipy.stats import entropy

from model.network.pruning import GLOBAL_VIEW
from model.network.view_scorer import ViewScorer, scorer_loss


def test_the_scorer_chooses_the_best_with_the_global_view_first() -> None:
    torch.manual_seed(2)
    scorer = ViewScorer(features=20, views=12, hidden=8)
    feature = torch.randn(5, 20)
    scores = scorer(feature)
    for keep in (1, 2, 6, 12):
        chosen = scorer.choose(feature, keep)
        assert chosen.shape == (5, keep)
        assert (chosen[:, 0] == GLOBAL_VIEW).all()
        assert (chosen.diff(dim=1) > 0).all()
        for row in range(5):
            best = scores[row].argsort(descending=True)[: keep - 1] + 1
            assert set(chosen[row, 1:].tolist()) == set(best.tolist())


def test_the_scorer_does_not_change_the_backbone() -> None:
    feature = torch.randn(2, 20, requires_grad=True)
    scorer = ViewScorer(features=20, views=12, hidden=8)
    loss = scorer_loss(scorer(feature), torch.rand(2, 12), torch.ones(2, 12, dtype=torch.bool))
    torch.autograd.backward(loss)
    assert feature.grad is None
    assert scorer.score.weight.grad is not None


def test_the_scorer_learns_which_views_the_gates_favour() -> None:
    torch.manual_seed(3)
    scorer = ViewScorer(features=8, views=5, hidden=16)
    feature = torch.randn(512, 8)
    # the gate of view k + 1 follows the k-th number of the feature
    gates = torch.cat((torch.ones(512, 1), feature[:, :4].sigmoid()), dim=1)
    seen = torch.rand(512, 5) < 0.7
    optimiser = torch.optim.Adam(scorer.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        torch.autograd.backward(scorer_loss(scorer(feature), gates.where(seen, 0.0), seen))
        optimiser.step()
    new = torch.randn(200, 8)
    best = new[:, :4].argmax(dim=1) + 1
    assert (scorer.choose(new, 2)[:, 1] == best).float().mean() > 0.85


def test_the_scorer_ranks_by_weight_where_gates_are_nearly_shut_too() -> None:
    torch.manual_seed(4)
    scorer = ViewScorer(features=8, views=5, hidden=16)
    feature = torch.randn(512, 8)
    # most challenges shut all gates a thousandfold, as if nothing could be seen in them
    shut = torch.where(feature[:, 7:] > -1, 1e-3, 1.0)
    gates = torch.cat((torch.ones(512, 1), shut * feature[:, :4].sigmoid()), dim=1)
    optimiser = torch.optim.Adam(scorer.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        torch.autograd.backward(
            scorer_loss(scorer(feature), gates, torch.ones(512, 5, dtype=torch.bool))
        )
        optimiser.step()
    new = torch.randn(200, 8)
    best = new[:, :4].argmax(dim=1) + 1
    assert (scorer.choose(new, 2)[:, 1] == best).float().mean() > 0.85


def test_the_loss_is_the_cross_entropy_of_shares_among_seen_views() -> None:
    scores = torch.tensor([[0.3, -1.0, 5.0], [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]])
    gates = torch.tensor([[0.9, 0.2, 0.6, 0.0], [0.5, 0.4, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0]])
    seen = torch.tensor([[True, True, True, False], [True, True, False, False], [True] * 4])
    # the second has one view to choose from, the third no weight to share
    predicted = np.exp([0.3, -1.0]) / np.exp([0.3, -1.0]).sum()
    expected = entropy([0.25, 0.75]) + entropy([0.25, 0.75], predicted)
    assert scorer_loss(scores, gates, seen).item() == pytest.approx(expected, rel=1e-6)
    assert scorer_loss(scores, gates, torch.zeros(3, 4) > 0).item() == 0
