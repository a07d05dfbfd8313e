import errno
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from data.errors import RunError
from model.checkpoint.weights_file import map_weights, write_weights
from tests.conftest import ROOT

MEBIBYTES = 128

# The process's peak counts pages of mapped files as well.
PROGRAM = """
import sys
from pathlib import Path
import torch
from tests.bench.peak_memory import peak_mebibytes
from tests.model.checkpoint.random_checkpoint import CARD, a_model
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint

folder, each = Path(sys.argv[1]), int(sys.argv[2]) * 2**20 // 4 // 8
model = a_model()
save_checkpoint(folder, model, CARD, {"w": torch.zeros(9)})
load_checkpoint(folder)
weights = {str(index): torch.full((each,), index + 1.0) for index in range(8)}
before = peak_mebibytes()
save_checkpoint(folder, model, CARD, weights)
saved = peak_mebibytes()
del weights
loaded = load_checkpoint(folder)
assert sum(tensor.double().mean().item() for tensor in loaded.backbone.values()) == 36
print(saved - before, peak_mebibytes() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_large_weights_are_saved_and_loaded_without_a_copy(tmp_path: Path) -> None:
    """At most half as much again as the weights take; each copy would be as much."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "new"), str(MEBIBYTES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    saving, loading = map(float, done.stdout.split())
    assert saving < MEBIBYTES / 2
    assert loading < MEBIBYTES / 2


def test_tensors_of_all_kinds_come_back(tmp_path: Path) -> None:
    tensors = {
        "half": torch.randn(3).bfloat16(),
        "transposed": torch.randn(4, 3).t(),
        "parameter": torch.nn.Parameter(torch.randn(2)),
        "count": torch.tensor(3),
        "none": torch.empty(0, 2),
    }
    write_weights(tensors, tmp_path / "w.safetensors")
    mapped = map_weights(tmp_path / "w.safetensors")
    assert mapped.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(mapped[name], tensor)
        assert mapped[name].dtype == tensor.dtype
    assert stat.S_IMODE((tmp_path / "w.safetensors").stat().st_mode) & stat.S_IRUSR
    assert len(list(tmp_path.iterdir())) == 1


def test_errors_are_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "touch", lambda _: None)
    with pytest.raises(FileNotFoundError) as error:
        write_weights({"w": torch.zeros(2)}, tmp_path / "none" / "w.safetensors")
    assert error.value.errno == errno.ENOENT


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\xff" * 99])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(RunError, match=r"w\.safetensors: found .*expected safetensors"):
        map_weights(tmp_path / "w.safetensors")
