import math
import os
import pickle
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm.optim
import torch
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import nn
from torch.utils._pytree import tree_leaves, tree_structure

from data.errors import RunError, WriteError
from model.checkpoint.training_state import load_state, save_state
from tests.conftest import ROOT
from tests.worlds.full_disk import fill, small_disk

RUN = "train-0123456789ab"


def assert_same(actual: Any, expected: Any) -> None:
    """Equal in structure, types and bits."""
    assert tree_structure(actual) == tree_structure(expected)
    for one, other in zip(tree_leaves(actual), tree_leaves(expected), strict=True):
        if isinstance(other, torch.Tensor):
            assert isinstance(one, torch.Tensor)
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.detach().numpy().tobytes() == other.detach().numpy().tobytes()
        else:
            assert type(one) is type(other)
            assert one == other or (math.isnan(one) and math.isnan(other))


def trained(name: str) -> dict[str, Any]:
    """States of a model, optimiser and schedule after a step."""
    model = nn.Linear(3, 2)
    optim: Any = timm.optim
    optimizer = optim.create_optimizer_v2(model, opt=name, lr=1e-2, weight_decay=0.01)
    schedule = CosineLRScheduler(optimizer, t_initial=10, warmup_t=2, t_in_epochs=False)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    schedule.step_update(1)
    return {
        "model": model.state_dict(),
        "parameters": dict(model.named_parameters()),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
    }


def generators() -> dict[str, Any]:
    numpy = np.random.RandomState(3).get_state(legacy=False)
    return {
        "torch": torch.get_rng_state(),
        "own": torch.Generator().manual_seed(2**63).get_state(),
        "python": random.Random(3).getstate(),  # noqa: S311
        "numpy": {**numpy, "state": {"key": numpy["state"]["key"].tolist(), "pos": 624}},
        "pcg64": np.random.default_rng(3).bit_generator.state,
    }


STATES: dict[str, dict[str, Any]] = {
    "plain": {
        "epoch": 3,
        "loss": [math.nan, math.inf, -0.0, 0.1],
        "done": False,
        "best": None,
        "name": "ä\n",
        "large": -(2**200),
        "nested": {"a": ({"b": [()]}, [{}]), 7: "number as key", None: 1, True: 2},
    },
    "tensors": {
        "bf16": torch.randn(3, dtype=torch.bfloat16).view(torch.int16),
        "empty": torch.empty(0, 4),
        "number": torch.tensor(3),
        "flags": torch.tensor([True, False]),
        "transposed": torch.randn(4, 3).t(),
    },
    "adamw": trained("adamw"),
    "lion": trained("lion"),
    "generators": generators(),
    "nothing": {},
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_comes_back_bit_by_bit(tmp_path: Path, name: str) -> None:
    path = tmp_path / "state.pt"
    assert load_state(path, RUN) is None
    save_state(path, RUN, STATES["plain"])
    save_state(path, RUN, STATES[name])

    loaded = load_state(path, RUN)

    assert_same(loaded, STATES[name])
    assert list(tmp_path.iterdir()) == [path]


def test_an_optimiser_goes_on_from_what_was_loaded(tmp_path: Path) -> None:
    def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            model(torch.randn(4, 3)).square().sum().backward()
            optimizer.step()

    torch.manual_seed(1)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    steps(model, optimizer, 3)
    names = ("model", "optimizer", "rng")
    values = (model.state_dict(), optimizer.state_dict(), torch.get_rng_state())
    save_state(tmp_path / "state.pt", RUN, dict(zip(names, values, strict=True)))
    steps(model, optimizer, 3)

    torch.manual_seed(9)
    resumed = nn.Linear(3, 2)
    other = torch.optim.AdamW(resumed.parameters(), lr=0.3)
    state = load_state(tmp_path / "state.pt", RUN)
    assert state is not None
    resumed.load_state_dict(state["model"])
    other.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    steps(resumed, other, 3)

    assert_same(resumed.state_dict(), model.state_dict())
    assert_same(other.state_dict(), optimizer.state_dict())


class Number(int):
    pass


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"loss": [0.5, np.float64(1)]}, r"state\['loss'\]\[1\] is a numpy\.float64"),
        ({"rng": {"keys": np.zeros(3)}}, r"state\['rng'\]\['keys'\] is a numpy\.ndarray"),
        ({"out": (Path("x"),)}, r"state\['out'\]\[0\] is a pathlib"),
        ({"count": Number(3)}, r"state\['count'\] is a .*Number"),
        ({"sums": defaultdict(int)}, r"state\['sums'\] is a collections\.defaultdict"),
        ({"a": {(1, 2): 3}}, r"a key of state\['a'\] is a builtins\.tuple"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(
    tmp_path: Path, state: dict[str, Any], words: str
) -> None:
    path = tmp_path / "state.pt"
    save_state(path, RUN, {"epoch": 1})

    with pytest.raises(TypeError, match=words):
        save_state(path, RUN, state)

    assert load_state(path, RUN) == {"epoch": 1}


def test_a_flipped_bit_is_found_or_changes_nothing(tmp_path: Path) -> None:
    """At any place of the file: in a name, a weight, a number or the list of records."""
    path = tmp_path / "state.pt"
    state = {"weights": torch.randn(50), "step": 5, "name": "five"}
    save_state(path, RUN, state)
    whole = path.read_bytes()
    errors = []
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            loaded = load_state(path, RUN)
        except RunError as error:
            errors.append(str(error))
        else:
            assert_same(loaded, state)
    assert len(errors) > 100
    assert all(error.endswith("delete it to begin the training anew") for error in errors)
    assert not any("\n" in error for error in errors)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "state.pt"
    save_state(path, RUN, {"weights": torch.randn(500)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(
        RunError, match=r"^training state .*state\.pt: found BadZipFile: .*; delete it to begin"
    ):
        load_state(path, RUN)


class Malicious:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.victim),)


@pytest.mark.parametrize("form", ["zip", "pickle", "old torch"])
def test_a_pickle_never_runs(tmp_path: Path, form: str) -> None:
    path, victim = tmp_path / "state.pt", tmp_path / "victim"
    content = {"state": Malicious(victim)}
    if form == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(RunError, match=r"state\.pt: found .*; delete it"):
        load_state(path, RUN)
    assert not victim.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "found format and version None"),
        ({"model": torch.zeros(2)}, r"\(None, None\)"),
        (
            {"format": "streetreplay-training-state", "version": 99},
            r"99\); expected \('streetreplay-training-state', 1\)",
        ),
        (
            {"format": "streetreplay-training-state", "version": 1, "run_id": RUN},
            "found no state",
        ),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: Any, words: str) -> None:
    torch.save(content, tmp_path / "state.pt")
    with pytest.raises(RunError, match=words):
        load_state(tmp_path / "state.pt", RUN)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="IsADirectoryError"):
        load_state(tmp_path, RUN)


def test_the_state_of_another_run_is_refused_with_both_ids(tmp_path: Path) -> None:
    save_state(tmp_path / "state.pt", "train-other", {"epoch": 1})
    with pytest.raises(RunError, match=f"found that of run train-other; expected .* {RUN}"):
        load_state(tmp_path / "state.pt", RUN)


def test_a_full_disk_leaves_the_earlier_state(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        path = disk / "state.pt"
        for size in (150_000, 60_000):  # runs out within a tensor, and at the file's end
            save_state(path, RUN, {"epoch": 1})
            fill(disk, leave=200_000)
            with pytest.raises(WriteError, match=r"state\.pt: found No space left on device"):
                save_state(path, RUN, {"epoch": 2, "weights": torch.zeros(size)})
            assert load_state(path, RUN) == {"epoch": 1}
            (disk / "ballast").unlink()
            assert list(disk.iterdir()) == [path]


def test_a_killed_save_leaves_the_earlier_state_and_the_next_one_clears_it(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_state(path, RUN, {"epoch": 1})
    program = """
import os, signal, sys
from pathlib import Path
import torch
from model.checkpoint.training_state import save_state
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
save_state(Path(sys.argv[1]), "x", {"epoch": 2, "weights": torch.zeros(9)})
"""
    killed = subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, check=False)

    assert killed.returncode < 0
    assert load_state(path, RUN) == {"epoch": 1}
    assert len(list(tmp_path.iterdir())) == 2
    save_state(path, RUN, {"epoch": 3})
    assert load_state(path, RUN) == {"epoch": 3}
    assert list(tmp_path.iterdir()) == [path]
