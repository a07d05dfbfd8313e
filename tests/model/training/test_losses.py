import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.training.losses import focal_loss, training_loss, view_loss, weather_loss
from model.training.settings import LossSettings

LABELS = torch.tensor([0, 1, 1, 0])


def logits(seed: int = 0, scale: float = 2.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(4, 2, generator=generator)


@given(st.integers(0, 99), st.floats(0.0, 5.0))
def test_focal_loss_is_the_formula(seed: int, gamma: float) -> None:
    x = logits(seed).double().numpy()
    expected = []
    for row, label in zip(x, LABELS.tolist(), strict=True):
        right = math.exp(row[label]) / sum(math.exp(logit) for logit in row)
        expected.append(-((1 - right) ** gamma) * math.log(right))
    found = focal_loss(torch.from_numpy(x), LABELS, gamma)
    assert float(found) == pytest.approx(float(np.mean(expected)), rel=2e-5, abs=1e-7)


@given(st.integers(0, 99))
def test_without_focusing_it_is_cross_entropy(seed: int) -> None:
    x = logits(seed)
    torch.testing.assert_close(focal_loss(x, LABELS, 0.0), F.cross_entropy(x, LABELS))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_its_gradient_is_finite_where_the_answer_is_certain(gamma: float, scale: float) -> None:
    x = logits(scale=scale).requires_grad_()
    torch.autograd.backward(focal_loss(x, LABELS, gamma))
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_each_seen_view_is_asked_for_the_label() -> None:
    views = torch.randn(4, 3, 2)
    seen = torch.tensor([[True, True, False], [True, False, False]] * 2)
    expected = F.cross_entropy(views[seen], torch.tensor([0, 0, 1, 1, 1, 0]))
    torch.testing.assert_close(view_loss(views, seen, LABELS, 0.0), expected)
    assert view_loss(views, torch.zeros_like(seen), LABELS, 2.0) == 0


def test_weather_counts_only_where_it_is_known() -> None:
    x = torch.randn(3, 24)
    shares = torch.zeros(3, 24)
    shares[0, 4] = 1.0
    shares[2, [5, 6]] = 0.5
    expected = F.cross_entropy(x[[0, 2]], shares[[0, 2]])
    torch.testing.assert_close(weather_loss(x, shares), expected)
    assert weather_loss(x, torch.zeros(3, 24)) == 0


def test_every_part_that_an_image_reaches_gets_a_gradient() -> None:
    model = StreetModel(ModelSettings(features=24, width=32, heads=4, layers=2)).train()
    output = model(torch.randn(4, 12, 24))
    shares = torch.zeros(4, 24)
    shares[:, 3] = 1.0
    torch.autograd.backward(training_loss(output, LABELS, shares, LossSettings()))
    without = {name for name, weight in model.named_parameters() if weight.grad is None}
    # the model got no metadata, so the tables of tags have no gradient
    assert without == {f"metadata.tables.{tag}" for tag in ("weather", "environment", "daytime")}
