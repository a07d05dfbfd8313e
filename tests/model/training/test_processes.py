"""Two processes with gloo, started by accelerate, against one that trains alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data.sources.shards import Shards
from model.checkpoint.checkpoint import load_checkpoint
from tests.conftest import ROOT
from tests.model.optimization.toy import cpu_accelerator
from tests.model.training.two_processes import CONFIGS, seen

LAUNCH = "accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1"
LAUNCH += " --mixed_precision no --dynamo_backend no --main_process_port 0"
LOSS_BOUND = 1e-4
"""Relative."""


@pytest.fixture(scope="module")
def alone(shards: Shards, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return seen(shards, tmp_path_factory.mktemp("alone"), cpu_accelerator)


@pytest.fixture(scope="module")
def folder(shards: Shards, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes have written."""
    folder = tmp_path_factory.mktemp("two")
    environment = {**os.environ, "HF_HOME": str(folder / "hf"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *LAUNCH.split(), "-m", "tests.model.training.two_processes"]
    launched = subprocess.run(
        [*command, str(shards.folder), str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert launched.returncode == 1, launched.stderr  # the last of its trainings fails
    assert (folder / "lacking-0.status").exists(), launched.stderr
    return folder


def processes(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"seen-{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("name", CONFIGS)
def test_two_processes_see_what_one_sees(folder: Path, alone: dict[str, Any], name: str) -> None:
    """The same rows, and the same challenges of them, in the same global batches."""
    first, second = (saw[name]["batches"] for saw in processes(folder))
    assert len(first) == len(second) == len(alone[name]["batches"]) == 9
    for one, other, whole in zip(first, second, alone[name]["batches"], strict=True):
        assert not one.keys() & other.keys()
        assert abs(len(one) - len(other)) <= 1
        assert one | other == {str(row): digest for row, digest in whole.items()}
    sizes = {len(one) + len(other) for one, other in zip(first, second, strict=True)}
    assert any(size % 2 for size in sizes)


@pytest.mark.parametrize("name", CONFIGS)
def test_two_processes_measure_what_one_measures(
    folder: Path, alone: dict[str, Any], name: str
) -> None:
    reports = [saw[name]["report"] for saw in processes(folder)]
    assert reports[0]["epochs"] == reports[1]["epochs"]
    whole = alone[name]["report"]
    for one, two in zip(whole["epochs"], reports[0]["epochs"], strict=True):
        assert (two["mcc"], two["n"], two["steps"]) == (one["mcc"], one["n"], one["steps"])
        assert two["loss"] == pytest.approx(one["loss"], rel=LOSS_BOUND)
        assert two["validation_loss"] == pytest.approx(one["validation_loss"], rel=LOSS_BOUND)
    # each image counts once where a process gets one more
    assert whole["best"]["n"] % 2
    assert whole["best"]["n"] == whole["validation"] * CONFIGS[name].dataset.draws


@pytest.mark.parametrize("name", CONFIGS)
def test_only_the_main_process_writes_and_speaks(folder: Path, name: str) -> None:
    main, other = (saw[name] for saw in processes(folder))
    assert {"state", "best", "out", "clean-up"} <= set(main["changes"])
    assert other["changes"] == other["notes"] == []
    assert len(main["notes"]) == 3


def said(folder: Path, name: str) -> list[tuple[str, str, list[str]]]:
    """Status, standard output and the lines of standard error of each process."""
    return [
        (
            (folder / f"{name}-{rank}.status").read_text(),
            (folder / f"{name}-{rank}.stdout").read_text(),
            (folder / f"{name}-{rank}.stderr").read_text().splitlines(),
        )
        for rank in range(2)
    ]


def test_the_command_answers_once(folder: Path) -> None:
    (status, output, _), other = said(folder, "whole")
    assert status == "0"
    assert json.loads(output)["training"] == 22
    assert other == ("0", "", [])
    assert load_checkpoint(folder / "whole-out").card.training["training_rows"] == 22


def test_an_error_of_the_main_process_is_one_line_and_ends_all(folder: Path) -> None:
    (status, output, lines), other = said(folder, "file")
    assert (status, output) == ("1", "")
    assert len(lines) == 1
    assert "found a file; expected a folder" in lines[0]
    assert other == ("1", "", [])


def test_an_error_of_one_process_is_its_line_and_ends_all(folder: Path) -> None:
    (status, output, lines), other = said(folder, "lacking")
    assert other[:2] == ("1", "")
    assert [line for line in other[2] if line.startswith("streetreplay:")] == other[2]
    assert "a.parquet, row 3: found no image" in other[2][0]
    assert len(other[2]) == 1
    assert (status, output) == ("1", "")
    assert "training in 2 processes: found another one that ended" in lines[-1]
    assert not any("Traceback" in line for line in lines)
