from collections.abc import Callable

import pytest
import torch

from data.errors import RunError
from model.backbone import batch_size
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import MemorySettings
from model.backbone.settings import RANDOM, BackboneSettings
from tests.model.backbone.allocated_peak import allocated_peak
from tests.model.backbone.random_backbones import random_views

CPU = torch.device("cpu")


def test_the_peak_of_a_forward_is_that_of_the_tensors_alive_at_once() -> None:
    # input and two outputs are alive during the last ReLU; the conv's weights are not counted
    module = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.Conv2d(3, 1, 8))
    cost = batch_size.forward_cost(module, (3, 8, 8))
    assert cost.per_image == 3 * 4 * 3 * 64
    assert cost.fixed == 0


def trained(name: str, *, checkpointing: bool = False) -> Backbone:
    settings = BackboneSettings(name, RANDOM, trained="all", checkpointing=checkpointing)
    return load_backbone(settings, "cpu")


def a_step(backbone: Backbone) -> Callable[[int], None]:
    """Two views of each challenge."""

    def step(challenges: int) -> None:
        views = torch.zeros(2 * challenges, 3, backbone.side, backbone.side)
        torch.autograd.backward(backbone(views).square().sum())

    return step


def test_the_cost_of_a_step_is_what_the_allocator_gives_for_it() -> None:
    """Within a tenth: kernels have scratch of their own."""
    peaks = []
    for checkpointing in (False, True):
        backbone = trained("test_vit", checkpointing=checkpointing)
        cost = batch_size.step_cost(a_step(backbone), [backbone])
        a_step(backbone)(1)  # what libraries keep comes once
        backbone.zero_grad()
        assert cost.peak(8) == pytest.approx(allocated_peak(a_step(backbone), 8), rel=0.1)
        peaks.append(cost.peak(8))
    plain, checkpointed = peaks
    assert checkpointed < plain / 2


def test_a_steps_cost_leaves_weights_gradients_buffers_and_generators() -> None:
    backbone = trained("test_resnet")
    a_step(backbone)(2)
    state = torch.get_rng_state()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    gradients = [weight.grad for weight in backbone.parameters()]

    def step(challenges: int) -> None:
        noise = torch.randn(2 * challenges, 3, backbone.side, backbone.side)
        torch.autograd.backward(torch.nn.functional.dropout(backbone(noise)).sum())

    batch_size.step_cost(step, [backbone])

    assert torch.equal(torch.get_rng_state(), state)
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    for weight, gradient in zip(backbone.parameters(), gradients, strict=True):
        assert weight.grad is gradient


def test_gradients_come_back_where_a_step_fails() -> None:
    linear = torch.nn.Linear(2, 2)
    linear.weight.grad = kept = torch.ones(2, 2)

    def fails(_: int) -> None:
        torch.autograd.backward(linear(torch.ones(1, 2)).sum())
        raise ValueError("in the step")

    with pytest.raises(ValueError, match="in the step"):
        batch_size.step_cost(fails, [linear])
    assert linear.weight.grad is kept
    assert linear.bias.grad is None


def test_weights_are_not_counted_and_their_gradients_are() -> None:
    linear = torch.nn.Linear(1000, 1, bias=False)

    def forward(rows: int) -> None:
        with torch.no_grad():
            linear(torch.empty(rows, 1000))

    def step(rows: int) -> None:
        torch.autograd.backward(linear(torch.empty(rows, 1000)).sum())

    assert batch_size.step_cost(forward, [linear]).peak(10) == 10 * 4 * 1001
    cost = batch_size.step_cost(step, [linear])
    assert cost.fixed == pytest.approx(4 * 1000, abs=100)
    assert cost.per_image == pytest.approx(4 * 1000, abs=100)


@pytest.mark.parametrize(
    ("free", "halvings"),
    [(10_000, 0), (2 * 3300, 0), (2 * 3299, 1), (2 * 900, 2), (2 * 899, 3), (200, 5)],
)
def test_a_batch_is_halved_until_half_of_the_memory_holds_it(
    free: int, halvings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_size, "available_bytes", lambda _: free)
    cost = batch_size.ForwardCost(fixed=100, per_image=100)
    assert batch_size.halvings_that_fit(32, cost, CPU) == halvings


def test_odd_batches_are_halved_rounding_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """25, 13, 7, 4, 2, 1."""
    found = []
    for fitting in (25, 13, 7, 4, 2, 1):
        monkeypatch.setattr(batch_size, "available_bytes", lambda _, n=fitting: 2 * n)
        cost = batch_size.ForwardCost(fixed=0, per_image=1)
        found.append(batch_size.halvings_that_fit(25, cost, CPU))
    assert found == [0, 1, 2, 3, 4, 5]


def test_a_step_that_fits_not_even_one_challenge_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_size, "available_bytes", lambda _: 2**20)
    with pytest.raises(RunError) as raised:
        batch_size.halvings_that_fit(8, batch_size.ForwardCost(2**20, 2**20), CPU)
    assert str(raised.value) == (
        "one challenge on cpu: found 1 MiB of free memory; expected 2 MiB; "
        "free some, or choose a smaller backbone or side, fewer --views, or --grad-checkpointing "
        "for a trained one"
    )


def test_batches_shrink_with_memory(vit: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for free in (vit.cost.peak(1), 2 * vit.cost.peak(10), 2**40):
        monkeypatch.setattr(batch_size, "available_bytes", lambda _, free=free: free)
        sizes.append(batch_size.batch_that_fits(vit.cost, CPU, MemorySettings(most=50)))
    assert sizes == [1, 10, 50]
    monkeypatch.setattr(batch_size, "available_bytes", lambda _: vit.cost.peak(1) - 1)
    with pytest.raises(RunError, match="smaller backbone or side"):
        vit.features(random_views(1))


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("x: can't allocate memory: y")],
)
def test_parts_are_halved_when_memory_is_out(error: RuntimeError) -> None:
    tried: list[int] = []

    def forward(part: torch.Tensor) -> torch.Tensor:
        tried.append(len(part))
        if len(part) > 3:
            raise error
        return 2 * part

    images = torch.arange(11.0)[:, None]
    assert torch.equal(batch_size.in_parts(forward, images, 10), 2 * images)
    assert tried == [10, 5, 2, 2, 2, 2, 2, 1]


def test_an_image_too_large_and_another_error_are_not_tried_again() -> None:
    def full(_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    def broken(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes")

    with pytest.raises(RunError, match="out of memory"):
        batch_size.in_parts(full, torch.zeros(4, 1), 4)
    with pytest.raises(RuntimeError, match="shapes"):
        batch_size.in_parts(broken, torch.zeros(4, 1), 4)
