"""Laws of imports: helpers stand outside test files, and private names stay in their file."""

import ast
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

PACKAGES = ("analytics", "dashboards", "data", "model", "replay", "tests")
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
)


def imported_names(source: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a module imports from the project."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names = [f"{module}.{alias.name}" for alias in aliases]
            case _:
                continue
        for name in names:
            if name.partition(".")[0] in PACKAGES:
                yield node.lineno, name


def from_test_files(source: str) -> list[int]:
    """The lines that import a test file, or a name of one."""
    return [
        line
        for line, name in imported_names(source)
        if any(part.startswith("test_") for part in name.split(".")[:-1])
        or name.rpartition(".")[2].startswith("test_")
    ]


def private_names(source: str) -> list[int]:
    """The lines that import a private name."""
    return [
        line
        for line, name in imported_names(source)
        if any(part.startswith("_") for part in name.split("."))
    ]


def test_no_module_imports_from_a_test_file_or_a_private_name() -> None:
    for name in MODULES:
        source = (ROOT / name).read_text(encoding="utf-8")
        assert (name, from_test_files(source), private_names(source)) == (name, [], [])


@pytest.mark.parametrize(
    "line",
    [
        "from tests.data.test_stream import zstd",
        "import tests.test_terminal as terminal",
        "from tests import test_terminal",
    ],
)
def test_an_import_from_a_test_file_is_noticed(line: str) -> None:
    assert from_test_files(f"x = 1\n{line}\n") == [2]


@pytest.mark.parametrize("line", ["from data.errors import _text", "from data._errors import Text"])
def test_an_import_of_a_private_name_is_noticed(line: str) -> None:
    assert private_names(f"x = 1\n{line}\n") == [2]


def test_other_imports_are_not() -> None:
    source = "from __future__ import annotations\nfrom torch import _C\nfrom data import store\n"
    assert from_test_files(source) == private_names(source) == []
