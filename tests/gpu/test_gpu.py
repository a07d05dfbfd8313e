import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.bench.devices.measurements import Measurement, Stage, run_stages
from tests.bench.devices.measurements import table as table_of_measurements
from tests.bench.gpu import STAGES
from tests.gpu.all_checks import CHECKS
from tests.gpu.check import Check, CheckResult, Target, check, run, table, worst_of
from tests.gpu.minimal_python import ABSENT

ROOT = Path(__file__).parents[2]
CPU = Target(torch.device("cpu"), quick=True)


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_runs_in_a_minimal_python() -> None:
    done = python("-m", "tests.gpu.minimal_python", "--device", "cpu", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BROKEN" not in done.stdout
    for each in CHECKS:
        assert each.cuda_only or each.name in done.stdout


def test_a_minimal_python_lacks_what_is_absent() -> None:
    code = (
        "import sys, importlib.util; from tests.gpu.minimal_python import *;"
        "sys.meta_path.remove(PathFinder); sys.meta_path.append(MinimalFinder);"
        "print([name for name in ABSENT if importlib.util.find_spec(name)])"
    )
    done = python("-c", code)
    assert done.stdout == "[]\n", done.stderr
    assert "duckdb" in ABSENT


def test_without_a_gpu_it_says_so_and_is_content() -> None:
    done = python("-m", "tests.gpu", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0
    assert done.stdout == "gpu-check: no GPU that torch can use here, so nothing was checked\n"
    assert done.stderr == ""


def test_what_is_measured_on_a_gpu_is_measured_on_the_cpu_too() -> None:
    """With tiny models: no stage fails unseen until there is a GPU again."""
    measured = list(
        run_stages([replace(stage, seconds=1e4) for stage in STAGES], CPU, rate=1e12, seconds=1e5)
    )
    assert [line for line in measured if isinstance(line, str)] == []
    text = table_of_measurements([each for each in measured if isinstance(each, Measurement)], 1e12)
    assert "replay end to end" in text
    assert "hf: ViT" in text


def test_a_stage_that_fails_or_takes_too_long_ends_no_other() -> None:
    def slow(_target: Target, _rate: float) -> Iterator[Measurement]:
        yield Measurement("slow", 1, 2.0)
        time.sleep(60)

    def broken(_target: Target, _rate: float) -> Iterator[Measurement]:
        yield from ()
        raise ValueError("out\nof order")

    stages = (Stage("slow", 0.05, slow), Stage("broken", 9, broken), Stage("late", 0, slow))
    assert list(run_stages(stages, CPU, 1e12, 9)) == [
        Measurement("slow", 1, 2.0),
        "slow: stopped after 0 s",
        "broken: not measured: ValueError: out of order",
        "late: not measured, no time was left",
    ]


def rows_of(*checks: Check) -> list[CheckResult]:
    return list(run(checks, CPU))


def test_a_bound_is_kept_broken_or_never_reached() -> None:
    def raises(_setting: Target, _precision: str) -> float:
        raise ValueError("out\nof order")

    kept = check("kept", fp32=1e-4, bf16=0)(lambda _, __: 0.0)
    broken = check("broken", fp32=1e-4)(lambda _, __: 2e-4)
    undefined = check("undefined", fp32=1e-4)(lambda _, __: float("nan"))
    rows = rows_of(kept, check("raises", fp32=1)(raises), broken, undefined)
    assert [row.holds for row in rows] == [True, True, False, False, False]
    assert rows[2].error == "ValueError: out of order"
    lines = table(rows).splitlines()
    assert lines[0].split() == ["check", "precision", "worst", "bound", "verdict", "s"]
    assert lines[2].split()[:5] == ["kept", "bf16", "0.0e+00", "equal", "ok"]
    assert lines[3].split()[:5] == ["raises", "fp32", "-", "1e+00", "BROKEN"]


def test_what_needs_cuda_is_left_out_elsewhere() -> None:
    assert rows_of(check("there", fp32=0, cuda_only=True)(lambda _, __: 0.0)) == []


def test_a_check_has_a_bound() -> None:
    with pytest.raises(TypeError, match="bounds of none"):
        check("none")
    with pytest.raises(TypeError, match="fp16"):
        check("other", fp16=1.0)


def test_the_worst_difference() -> None:
    first, second = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5])
    assert worst_of([(first, first), (first, second)]) == 0.5
    assert worst_of([]) == 0
    assert worst_of([(first, torch.tensor([1.0, torch.nan]))]) == float("inf")
    with pytest.raises(ValueError, match="shape"):
        worst_of([(first, first[:1])])


@pytest.mark.gpu
@pytest.mark.parametrize("each", CHECKS, ids=lambda each: each.name)
def test_on_cuda(each: Check) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU here: run `make gpu-check` where there is one")
    broken = [row for row in run([each], Target(torch.device("cuda:0"))) if not row.holds]
    assert not broken, table(broken)
