"""What tests of every package share."""

import gc
import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from data.store import STORE_VARIABLE, Store

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
CASES = ROOT / "tests" / "cases"

# Threads of several libraries wait for each other where cores are few or busy; a process a core is
# enough. Set before numpy and torch are first imported, and inherited by commands that tests start.
for _variable in (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
):
    os.environ.setdefault(_variable, "1")
for _variable in ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(_variable, "2")

# Machines are shared: how long an example took says nothing of the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


# Files that take longest, so that with several processes none begins one when the others are done.
# Those that share a folder of `made_once` stand apart: a process that waits for it does nothing.
LONGEST_FIRST = (
    "test_readme.py",
    "model/export/test_predictor.py",
    "model/retraining/test_interrupted_retrain.py",
    "model/export/test_onnx_file.py",
    "model/demo/test_demo.py",
    "model/training/test_processes.py",
    "model/export/test_threshold.py",
    "model/training/test_resume.py",
    "replay/commands/test_remote_sources.py",
    "model/training/test_stop_signal.py",
    "gpu/test_gpu.py",
    "model/retraining/test_retrain.py",
    "analytics/audit/test_audit.py",
    "replay/comparing/test_lives.py",
    "replay/rebuilding/test_arithmetic.py",
    "model/fine_tuning/test_base.py",
    "analytics/audit/test_simulated_logs.py",
    "replay/augmentation/test_rotation.py",
    "test_wheel.py",
    "test_commands.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of `LONGEST_FIRST` before all others, in its order."""
    place = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import all tests without looking for garbage among what stays: a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_sessionfinish() -> None:
    """Let all go at the end, of which some libraries complain else."""
    gc.unfreeze()


# A skipped test proves nothing, so only these may be, and each says how to run it.
ALLOWED_SKIPS = ("needs CUDA", "needs root") + (() if os.environ.get("CI") else ("needs Chromium",))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips itself for another reason."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"skipped: found {reason!r}; expected one of {ALLOWED_SKIPS}"
    return report


@pytest.fixture(scope="session")
def golden() -> Path:
    """Outputs of the validator's own code."""
    return GOLDEN


@pytest.fixture(autouse=True)
def no_store_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes a store that it does not name."""
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "unnamed-store"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def record() -> dict[str, Any]:
    """One real Media record (2025-12, era E7)."""
    path = ROOT / "data" / "sample" / "media_record.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def golden_records(golden: Path, era: str) -> list[dict[str, Any]]:
    """The Media records of one golden set."""
    text = (golden / era / "challenges.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def golden_expected(golden: Path, era: str) -> list[dict[str, Any]]:
    """What miners were sent in one golden set."""
    text = (golden / era / "expected.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
