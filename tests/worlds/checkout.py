"""A copy of what the project is built from, for tests that change it or build it."""

import shutil
from pathlib import Path

from tests.conftest import ROOT

PACKAGES = ("analytics", "dashboards", "data", "model", "replay")
FILES = ("README.md", "pyproject.toml", "streetreplay.py")


def copy_checkout(folder: Path) -> None:
    """Copy the packages, without a store or what was compiled, and the files beside them."""
    for package in PACKAGES:
        left_out = shutil.ignore_patterns("__pycache__", "store" if package == "data" else "")
        shutil.copytree(ROOT / package, folder / package, ignore=left_out)
    for file in FILES:
        shutil.copy(ROOT / file, folder)
