"""Each import contract of pyproject.toml refuses an import that breaks it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.worlds.checkout import copy_checkout

# What each contract must refuse: an import added to the end of a file.
PLANTED = {
    "packages import only to the left: data, analytics, replay, model, dashboards": (
        "analytics/scoring/metrics.py",
        "import replay.settings",
    ),
    "reading and querying never pay for torch": ("data/text.py", "import torch"),
    "processes that rebuild images start without DuckDB, which complains when they end": (
        "replay/plans/plan.py",
        "import duckdb",
    ),
    "what runs on a GPU needs nothing of logs and tables": (
        "model/network/fusion.py",
        "import polars",
    ),
    "a page never pays for torch": ("dashboards/parts/run_choice.py", "import torch"),
    "rooms of data": ("data/records/values.py", "import data.logs.discovery"),
    "rooms of analytics": ("analytics/scoring/metrics.py", "import analytics.comparison.bootstrap"),
    "rooms of replay": ("replay/rebuilding/fidelity.py", "import replay.runs.run_folder"),
    "rooms of model": ("model/views/kernel.py", "import model.backbone.features"),
    "rooms of dashboards": (
        "dashboards/parts/run_choice.py",
        "import dashboards.app_pages.overview",
    ),
    "no circle of files": ("data/scenes/canvas.py", "import data.scenes.objects"),
}


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def lint_imports(folder: Path) -> str:
    """What import-linter says of the packages in a folder, as one line: it wraps long names."""
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return " ".join((result.stdout + result.stderr).split())


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder)
    return folder


def test_every_contract_is_tried() -> None:
    assert contracts() == list(PLANTED)


def test_every_contract_refuses_a_planted_import(checkout: Path) -> None:
    before = lint_imports(checkout)
    for file, line in PLANTED.values():
        with (checkout / file).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    after = lint_imports(checkout)
    for contract in contracts():
        assert f"{contract} KEPT" in before, before
        assert f"{contract} BROKEN" in after, after


def test_a_new_room_must_be_in_its_contract(checkout: Path) -> None:
    room = checkout / "analytics" / "unlisted"
    room.mkdir()
    (room / "__init__.py").touch()
    assert "unlisted" in lint_imports(checkout)
