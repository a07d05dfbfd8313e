import pytest
import torch

from data.errors import RunError
from model.backbone import batch_size
from model.backbone.backbone import Backbone
from model.backbone.batch_size import MemorySettings
from tests.model.backbone.random_views import random_views

CPU = torch.device("cpu")


def test_the_peak_of_a_forward_is_that_of_the_tensors_alive_at_once() -> None:
    # input and two outputs are alive during the last ReLU; the conv's weights are not counted
    module = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.Conv2d(3, 1, 8))
    cost = batch_size.forward_cost(module, (3, 8, 8))
    assert cost.per_image == 3 * 4 * 3 * 64
    assert cost.fixed == 0


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
