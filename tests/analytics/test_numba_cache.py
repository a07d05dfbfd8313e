"""Cached compiled functions are compiled again when any source that they depend on changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analytics import numba_cache
from analytics.numba_cache import sources_digest
from tests.conftest import ROOT

_CALLED = """
from analytics.numba_loops import compiled
from analytics.steps import STEP

@compiled
def stepped(value: int) -> int:
    return value + STEP * {factor}
"""

_CALLER = """
from analytics.called import stepped
from analytics.numba_loops import compiled

@compiled
def twice(value: int) -> int:
    return stepped(stepped(value))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The project's own `compiled`, and a compiled function that calls one in another file."""
    folder = tmp_path / "analytics"
    folder.mkdir()
    for name in ("__init__.py", "numba_loops.py", "numba_cache.py"):
        shutil.copy(ROOT / "analytics" / name, folder / name)
    (folder / "steps.py").write_text("STEP = 1\n", encoding="utf-8")
    (folder / "called.py").write_text(_CALLED.format(factor=1), encoding="utf-8")
    (folder / "caller.py").write_text(_CALLER, encoding="utf-8")
    return folder


def answer(package: Path) -> int:
    environment = os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    script = "from analytics.caller import twice; print(twice(0))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def kept_files(package: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in package.glob("__pycache__/caller.*.nbc")}


def test_a_compiled_caller_follows_an_edit_of_what_it_calls_in_another_file(package: Path) -> None:
    assert answer(package) == 2
    (package / "called.py").write_text(_CALLED.format(factor=5), encoding="utf-8")
    assert answer(package) == 10
    # a value two files away is part of the machine code too
    (package / "steps.py").write_text("STEP = 3\n", encoding="utf-8")
    assert answer(package) == 30


def test_what_is_compiled_is_kept_while_no_source_changes(package: Path) -> None:
    answer(package)
    before = kept_files(package)
    assert before
    answer(package)
    assert kept_files(package) == before


@pytest.mark.parametrize(
    "statement",
    [
        "from analytics.steps import STEP",
        "import analytics.steps as other",
        "from analytics import steps",
        "from analytics import (\n    called,\n    steps,\n)",
        "from . import steps",
        "from .steps import STEP",
        "def late():\n    from analytics.steps import STEP",
    ],
)
def test_a_source_counts_however_it_is_imported(
    package: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    monkeypatch.setattr(numba_cache, "_ROOT", package.parent)
    file = package / "importing.py"
    file.write_text(statement + "\n", encoding="utf-8")
    before = sources_digest(file)
    (package / "steps.py").write_text("STEP = 2\n", encoding="utf-8")
    numba_cache._read.cache_clear()
    assert sources_digest(file) != before


def test_files_of_one_name_in_different_rooms_are_told_apart(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba_cache, "_ROOT", package.parent)
    files = [package / room / "text.py" for room in ("audit", "miners")]
    for file in files:
        file.parent.mkdir()
        file.write_text("STEP = 1\n", encoding="utf-8")
    assert sources_digest(files[0]) != sources_digest(files[1])


def test_the_digest_does_not_depend_on_where_the_project_lies(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "elsewhere" / "analytics"
    shutil.copytree(package, copied)
    digests = set()
    for folder in (package, copied):
        monkeypatch.setattr(numba_cache, "_ROOT", folder.parent)
        digests.add(sources_digest(folder / "caller.py"))
    assert len(digests) == 1
