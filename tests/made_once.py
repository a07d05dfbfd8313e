"""Folders that several test files read: one process of a run of tests makes each, for all."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from data.file_lock import locked
from data.store import Store
from tests.conftest import GOLDEN

_PATIENCE = 600.0
"""Seconds for another process to make it."""


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder under the temporary root of this run of tests; no test changes it.

    It is filled where it stays: what is made may name its own place.

    Args:
        factory: of the process that asks.
        name: of the folder, one for each content.
        make: fills the folder of a path that does not exist yet.
    """
    root = factory.getbasetemp()
    # a process of pytest-xdist has its own below that of the run
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / "made-once" / name
    lock = folder.with_suffix(".lock")
    with locked(lock, name, found="another process that makes it", seconds=_PATIENCE):
        done = folder.with_suffix(".done")
        if not done.exists():
            # of a process that failed within
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


def golden_store(factory: pytest.TempPathFactory, folder: Path, *eras: str) -> Store:
    """A store of a test's own with the golden challenges of some eras, but no image.

    Args:
        factory: of the process that asks.
        folder: of the store, not there yet.
        eras: whose challenges were read, as `e9`.
    """
    logs = [GOLDEN / era / "challenges.jsonl" for era in eras]
    name = f"golden-{'-'.join(eras)}"
    made = made_once(factory, name, lambda root: ingest(Store(root), logs))
    shutil.copytree(made, folder)
    return Store(folder)
