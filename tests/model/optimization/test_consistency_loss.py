"""View consistency against scipy's entropy and a closed form of its gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from model.optimization.losses import consistency_loss
from tests.model.optimization.loss_inputs import CERTAIN, logits, views

SEEDS = st.integers(0, 99)


@given(SEEDS)
def test_consistency_is_the_divergence_from_the_gated_mean(seed: int) -> None:
    x, gates, seen = views(seed)
    p = x.double().softmax(dim=-1).numpy()
    each = []
    for row in range(4):
        given_views = np.flatnonzero(seen[row])
        mean = np.average(p[row, given_views], axis=0, weights=gates[row, given_views].numpy())
        each += [entropy(p[row, view], mean) for view in given_views]
    found = consistency_loss(x, gates, seen)
    assert found.item() == pytest.approx(float(np.mean(each)), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("scale", [1.0, CERTAIN, 1e30])
def test_consistency_is_finite_where_views_are_certain(scale: float) -> None:
    x, gates, seen = views(scale=scale)
    x.requires_grad_()
    loss = consistency_loss(x, gates, seen)
    torch.autograd.backward(loss)
    assert loss.isfinite()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@given(SEEDS, st.sampled_from([1.0, CERTAIN]))
def test_views_that_agree_are_consistent(seed: int, scale: float) -> None:
    _, gates, seen = views(seed)
    x = logits(seed, scale)[:, None].expand(4, 5, 2)
    assert consistency_loss(x, gates, seen).item() == pytest.approx(0, abs=1e-6)


def test_the_mean_prediction_is_a_teacher() -> None:
    """The gradient is that of KL(p || q) with a constant q: p (log(p / q) - KL)."""
    x, gates, seen = views()
    x.requires_grad_()
    gates.requires_grad_()
    torch.autograd.backward(consistency_loss(x, gates, seen))
    assert gates.grad is None
    p = x.detach().double().softmax(dim=-1)
    q = (p * gates.detach()[..., None]).sum(dim=1) / gates.detach().sum(dim=1, keepdim=True)
    logs = (p / q[:, None]).log()
    expected = p * (logs - (p * logs).sum(dim=-1, keepdim=True)) / seen.sum()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (expected * seen[..., None]).float())


def test_a_challenge_with_shut_gates_has_no_mean() -> None:
    x, gates, seen = views()
    gates[2] = 0
    others = [0, 1, 3]
    expected = consistency_loss(x[others], gates[others], seen[others])
    torch.testing.assert_close(consistency_loss(x, gates, seen), expected)
    assert consistency_loss(x, torch.zeros_like(gates), seen) == 0


def test_a_pruned_view_is_drawn_to_the_mean_but_is_not_in_it() -> None:
    x = torch.tensor([[[0.0, 1.0], [0.0, 1.0], [2.0, 0.0]]])
    gates, seen = torch.tensor([[0.5, 0.1, 0.0]]), torch.ones(1, 3, dtype=torch.bool)
    p = x[0].softmax(dim=1).double().numpy()
    expected = entropy(p[2], p[0]) / 3
    assert consistency_loss(x, gates, seen).item() == pytest.approx(expected, rel=1e-5)
