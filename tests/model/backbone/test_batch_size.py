from pathlib import Path

import pytest
import torch

from data.errors import RunError
from model.backbone import batch_size as memory
from model.backbone.backbone import RANDOM, Backbone, BackboneSettings, load_backbone
from model.backbone.batch_size import MemorySettings
from tests.worlds.random_views import random_views

CPU = torch.device("cpu")


def test_the_peak_of_a_forward_is_that_of_the_tensors_alive_at_once() -> None:
    # input and two outputs are alive during the last ReLU; the conv's weights are not counted
    module = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.Conv2d(3, 1, 8))
    cost = memory.forward_cost(module, (3, 8, 8))
    assert cost.per_image == 3 * 4 * 3 * 64
    assert cost.fixed == 0


def test_batches_shrink_with_memory(vit: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for free in (vit.cost.peak(1), 2 * vit.cost.peak(10), 2**40):
        monkeypatch.setattr(memory, "available_bytes", lambda _, free=free: free)
        sizes.append(memory.batch_that_fits(vit.cost, CPU, MemorySettings(most=50)))
    assert sizes == [1, 10, 50]
    monkeypatch.setattr(memory, "available_bytes", lambda _: vit.cost.peak(1) - 1)
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
    assert torch.equal(memory.in_parts(forward, images, 10), 2 * images)
    assert tried == [10, 5, 2, 2, 2, 2, 2, 1]


def test_an_image_too_large_and_another_error_are_not_tried_again() -> None:
    def full(_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    def broken(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes")

    with pytest.raises(RunError, match="out of memory"):
        memory.in_parts(full, torch.zeros(4, 1), 4)
    with pytest.raises(RuntimeError, match="shapes"):
        memory.in_parts(broken, torch.zeros(4, 1), 4)


@pytest.mark.parametrize(
    ("line", "folder", "names"),
    [
        ("0::/user/job", "user", ("memory.max", "memory.current")),
        (
            "4:memory:/user/job",
            "memory/user",
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ),
    ],
)
def test_limits_of_control_groups_count(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    folder: str,
    names: tuple[str, str],
) -> None:
    membership = tmp_path / "membership"
    membership.write_text(f"7:cpuset:/\n{line}\n")
    job = tmp_path / folder / "job"
    job.mkdir(parents=True)
    for group, limit in ((job, "max"), (job.parent, str(50 * 2**20))):
        (group / names[0]).write_text(f"{limit}\n")
        (group / names[1]).write_text(f"{40 * 2**20}\n")
        (group / "memory.stat").write_text(f"anon 1\ninactive_file {2**20}\n")
    monkeypatch.setattr("data.machine.cgroups.ROOT", tmp_path)
    monkeypatch.setattr("data.machine.cgroups.OWN", membership)
    assert memory.available_bytes(CPU) == 11 * 2**20


def test_weights_that_do_not_fit_are_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.backbone.batch_size.available_bytes", lambda _: 2**30)
    with pytest.raises(RunError, match=r"found 1024 MiB of free memory; expected 3206 MiB"):
        load_backbone(BackboneSettings("vit_huge_plus_patch16_dinov3", RANDOM))
