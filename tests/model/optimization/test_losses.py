"""The losses against torchvision and torch's own, and by the laws that they keep."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812
from torchvision.ops import sigmoid_focal_loss

from model.network.settings import ModelSettings
from model.network.street_model import ModelOutput, StreetModel
from model.optimization.losses import (
    consistency_loss,
    focal_loss,
    soft_labels,
    training_loss,
    view_loss,
    weather_loss,
)
from model.optimization.settings import LossSettings
from tests.model.optimization.loss_inputs import CERTAIN, LABELS, logits, shares, views

SEEDS = st.integers(0, 99)
GAMMAS = [0.0, 0.1, 0.5, 1.0, 2.0]


@given(SEEDS, st.floats(0.0, 1.0))
def test_smoothing_is_that_of_cross_entropy(seed: int, smoothing: float) -> None:
    x = logits(seed)
    labels = soft_labels(LABELS, smoothing)
    assert labels.dtype == torch.float32
    torch.testing.assert_close(labels.sum(dim=1), torch.ones(4))
    expected = F.cross_entropy(x, LABELS, label_smoothing=smoothing)
    torch.testing.assert_close(F.cross_entropy(x, labels), expected)


@pytest.mark.parametrize("gamma", GAMMAS)
@given(seed=SEEDS)
def test_focal_loss_of_hard_labels_is_torchvisions(gamma: float, seed: int) -> None:
    x = logits(seed)
    expected = sigmoid_focal_loss(
        x[:, 1] - x[:, 0], LABELS.float(), alpha=-1, gamma=gamma, reduction="mean"
    )
    torch.testing.assert_close(focal_loss(x, soft_labels(LABELS), gamma), expected)


@given(SEEDS, st.floats(0.0, 5.0))
def test_focal_loss_of_soft_labels_is_the_formula(seed: int, gamma: float) -> None:
    x, y = logits(seed).double().numpy(), shares(seed).double().numpy()
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    expected = (y * (1 - p) ** gamma * -np.log(p)).sum(axis=1).mean()
    found = focal_loss(torch.from_numpy(x), shares(seed), gamma)
    assert found.item() == pytest.approx(expected, rel=2e-5, abs=1e-7)


@given(SEEDS)
def test_without_focusing_it_is_cross_entropy(seed: int) -> None:
    x, y = logits(seed), shares(seed)
    torch.testing.assert_close(focal_loss(x, y, 0.0), F.cross_entropy(x, y))


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("scale", [1.0, CERTAIN, 1e30])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_its_gradient_is_finite_where_the_answer_is_certain(
    gamma: float, scale: float, smoothing: float
) -> None:
    x = logits(scale=scale).requires_grad_()
    loss = focal_loss(x, soft_labels(LABELS, smoothing), gamma)
    torch.autograd.backward(loss)
    assert loss.isfinite()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("gamma", GAMMAS)
def test_its_gradient_is_the_slope_of_the_formula(gamma: float) -> None:
    """By differences in float64 of the formula, where it has no trouble with rounding."""
    x, y, step = logits(), shares(), 1e-6
    found = x.clone().requires_grad_()
    torch.autograd.backward(focal_loss(found, y, gamma))

    def formula(z: torch.Tensor) -> torch.Tensor:
        p = z.softmax(dim=1)
        return (y * (1 - p) ** gamma * -p.log()).sum(dim=1).mean()

    for row in range(4):
        offset = torch.zeros(4, 2, dtype=torch.float64)
        offset[row, 1] = step
        slope = (formula(x.double() + offset) - formula(x.double() - offset)) / (2 * step)
        assert found.grad is not None
        assert found.grad[row, 1].item() == pytest.approx(slope.item(), rel=1e-4, abs=1e-7)


def test_each_seen_view_is_asked_for_the_label() -> None:
    x, _, seen = views()
    challenges = seen.nonzero()[:, 0]
    expected = F.cross_entropy(x[seen], shares()[challenges])
    torch.testing.assert_close(view_loss(x, seen, shares(), 0.0), expected)
    assert view_loss(x, torch.zeros_like(seen), shares(), 2.0) == 0


@given(SEEDS)
def test_weather_counts_only_where_it_is_known(seed: int) -> None:
    x = torch.randn(3, 24, generator=torch.Generator().manual_seed(seed))
    weather = torch.zeros(3, 24)
    weather[0, 4] = 1.0
    weather[2, [5, 6]] = 0.5
    expected = F.cross_entropy(x[[0, 2]], weather[[0, 2]])
    torch.testing.assert_close(weather_loss(x, weather), expected)


def test_a_mixture_counts_by_the_part_whose_weather_is_known() -> None:
    x = torch.randn(3, 24, generator=torch.Generator().manual_seed(1))
    weather = torch.zeros(3, 24)
    weather[0, 4] = 0.25
    weather[1, [4, 7]] = torch.tensor([0.3, 0.7])
    log_p = F.log_softmax(x, dim=1)
    total = -(0.25 * log_p[0, 4] + 0.3 * log_p[1, 4] + 0.7 * log_p[1, 7])
    torch.testing.assert_close(weather_loss(x, weather), total / 1.25)
    # alone, a row of any sum is the cross-entropy of its shares
    alone = weather_loss(x[:1], weather[:1])
    torch.testing.assert_close(alone, F.cross_entropy(x[:1], torch.tensor([4])))


def output(seed: int = 0) -> ModelOutput:
    x, gates, seen = views(seed)
    generator = torch.Generator().manual_seed(seed)
    return ModelOutput(
        logits=logits(seed),
        gates=gates,
        view_logits=x * seen[..., None],
        weather_logits=torch.randn(4, 24, generator=generator),
        scores=torch.randn(4, 4, generator=generator),
        seen=seen,
    )


def weather() -> torch.Tensor:
    known = torch.zeros(4, 24)
    known[[0, 1], [3, 5]] = 1.0
    return known


@given(SEEDS, st.sampled_from(GAMMAS))
def test_no_loss_is_negative(seed: int, gamma: float) -> None:
    losses = training_loss(output(seed), shares(seed), weather(), LossSettings(gamma=gamma))
    for name, loss in losses.by_name().items():
        assert loss.item() >= -1e-6, name  # rounding of a divergence of nearly 0


@given(SEEDS, st.permutations(range(5)))
def test_the_order_of_views_does_not_matter(seed: int, order: list[int]) -> None:
    x, gates, seen = views(seed)
    shuffled = x[:, order], gates[:, order], seen[:, order]
    torch.testing.assert_close(consistency_loss(*shuffled), consistency_loss(x, gates, seen))
    torch.testing.assert_close(
        view_loss(shuffled[0], shuffled[2], shares(), 2.0), view_loss(x, seen, shares(), 2.0)
    )


@given(SEEDS, st.sampled_from([7.0, torch.nan, torch.inf]))
def test_what_is_not_seen_changes_nothing(seed: int, value: float) -> None:
    def losses_and_gradient(filling: float) -> list[torch.Tensor]:
        x, gates, seen = views(seed)
        filled = x.masked_fill(~seen[..., None], filling).requires_grad_()
        filled_gates = gates.masked_fill(~seen, filling)
        losses = [
            view_loss(filled, seen, shares(), 2.0),
            consistency_loss(filled, filled_gates, seen),
        ]
        torch.autograd.backward(torch.stack(losses).sum())
        assert filled.grad is not None
        return [*(loss.detach() for loss in losses), filled.grad]

    for found, expected in zip(losses_and_gradient(value), losses_and_gradient(0.0), strict=True):
        assert torch.equal(found, expected)


def test_the_total_is_the_weighted_sum() -> None:
    settings = LossSettings(
        label=0.7, views=0.11, consistency=0.13, weather=0.17, scorer=0.19, gamma=1.5
    )
    losses = training_loss(output(), shares(), weather(), settings)
    named = losses.by_name()
    assert list(named) == ["label", "views", "consistency", "weather", "scorer"]
    expected = (
        0.7 * named["label"]
        + 0.11 * named["views"]
        + 0.13 * named["consistency"]
        + 0.17 * named["weather"]
        + 0.19 * named["scorer"]
    )
    torch.testing.assert_close(losses.total(settings), expected)
    torch.testing.assert_close(named["label"], focal_loss(output().logits, shares(), 1.5))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("views", "view_logits"),
        ("consistency", "view_logits"),
        ("weather", "weather_logits"),
        ("scorer", "scores"),
    ],
)
def test_a_loss_of_weight_0_is_not_computed(name: str, source: str) -> None:
    settings = replace(LossSettings(views=0, consistency=0, scorer=0, weather=0), **{name: 0.5})
    without = replace(settings, **{name: 0.0})
    # of what such a loss looks at, nothing counts
    lost = replace(output(), **{source: torch.full_like(getattr(output(), source), torch.nan)})
    losses = training_loss(lost, shares(), weather(), without)
    assert set(losses.by_name()) == {"label"}
    torch.testing.assert_close(losses.total(without), 0.5 * focal_loss(logits(), shares(), 2.0))
    computed = training_loss(lost, shares(), weather(), settings)
    assert set(computed.by_name()) == {"label", name}
    assert computed.total(settings).isnan()


def test_all_are_float32_of_an_output_in_bfloat16() -> None:
    given_output = output()
    lowered = ModelOutput(
        **{
            name: tensor if name in ("seen", "gates") else tensor.bfloat16()
            for name, tensor in vars(given_output).items()
        }
    )
    raised = ModelOutput(
        **{
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in vars(lowered).items()
        }
    )
    losses = training_loss(lowered, shares(), weather())
    assert {loss.dtype for loss in losses.by_name().values()} == {torch.float32}
    assert losses == training_loss(raised, shares(), weather())


def test_every_part_that_an_image_reaches_gets_a_gradient() -> None:
    model = StreetModel(ModelSettings(features=24, width=32, heads=4, layers=2)).train()
    made = model(torch.randn(4, 12, 24, generator=torch.Generator().manual_seed(0)))
    settings = LossSettings()
    losses = training_loss(made, soft_labels(LABELS, 0.1), weather(), settings)
    torch.autograd.backward(losses.total(settings))
    without = {name for name, weight in model.named_parameters() if weight.grad is None}
    # the model got no metadata, so the tables of tags have no gradient
    assert without == {f"metadata.tables.{tag}" for tag in ("weather", "environment", "daytime")}


def test_what_nothing_is_known_of_is_0_with_gradients_of_0() -> None:
    """Not without gradients: several processes wait for each other's of every weight."""
    nothing = output()
    nothing = replace(nothing, seen=torch.zeros_like(nothing.seen))
    inputs = [nothing.view_logits, nothing.weather_logits, nothing.scores]
    for tensor in inputs:
        tensor.requires_grad_()
    losses = training_loss(nothing, shares(), torch.zeros(4, 24))
    named = losses.by_name()
    assert [named.pop("label") > 0, *named.values()] == [True, 0, 0, 0, 0]
    torch.autograd.backward(losses.total(LossSettings()))
    for tensor in inputs:
        assert tensor.grad is not None
        assert (tensor.grad == 0).all()
