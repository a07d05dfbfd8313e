from pathlib import Path

import pytest
import torch

from data.errors import RunError
from model.backbone.backbone import load_backbone
from model.backbone.free_memory import available_bytes
from model.backbone.settings import RANDOM, BackboneSettings


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
    assert available_bytes(torch.device("cpu")) == 11 * 2**20


def test_weights_that_do_not_fit_are_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.backbone.free_memory.available_bytes", lambda _: 2**30)
    with pytest.raises(RunError, match=r"found 1024 MiB of free memory; expected 3206 MiB"):
        load_backbone(BackboneSettings("vit_huge_plus_patch16_dinov3", RANDOM))
