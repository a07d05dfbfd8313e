"""A clone alone is enough: nothing that is read lies outside the project."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

PACKAGES = ("analytics", "dashboards", "data", "model", "replay", "tests")
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.py"), *(p for name in PACKAGES for p in (ROOT / name).rglob("*.py")))
)
_NO_PATH = -1_000


def paths_outside(source: str, depth: int) -> Iterator[int]:
    """The lines of a module that build a path out of the project.

    Only paths that the module makes itself: a `..` in a value is how tests write hostile input.

    Args:
        source: of the module.
        depth: how many times `.parent` leads from the module's file to the root.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.BinOp(op=ast.Div(), right=ast.Constant(value=str(text)))
                | ast.Call(
                    func=ast.Name(id="Path" | "open"), args=[ast.Constant(value=str(text)), *_]
                )
            ) if ".." in text.split("/"):
                yield node.lineno
            case ast.Attribute() | ast.Subscript() if parents(node, depth) > depth:
                yield node.lineno
            case _:
                pass


def parents(node: ast.expr, depth: int) -> int:
    """How many folders up from the module an expression leads, such as `ROOT.parent`."""
    match node:
        case ast.Attribute(value=value, attr="parent"):
            return parents(value, depth) + 1
        case ast.Subscript(
            value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(k))
        ):
            return parents(value, depth) + k + 1
        case ast.Call(func=ast.Attribute(value=value, attr="resolve" | "absolute")):
            return parents(value, depth)
        case ast.Call(func=ast.Name(id="Path"), args=[ast.Name(id="__file__")]):
            return 0
        case ast.Name(id="ROOT"):
            return depth
        case _:
            return _NO_PATH


@pytest.mark.parametrize("name", MODULES)
def test_no_module_builds_a_path_out_of_the_project(name: str) -> None:
    source = (ROOT / name).read_text(encoding="utf-8")
    assert list(paths_outside(source, depth=name.count("/") + 1)) == []


@pytest.mark.parametrize("name", ["Makefile", "pyproject.toml", "README.md", ".ci/run"])
def test_no_recipe_names_a_path_out_of_the_project(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    # the script's own way to the root
    text = text.replace('"$(dirname "$0")/.."', "")
    assert re.findall(r".*\.\./.*|.*/\.\..*", text) == []


@pytest.mark.parametrize(
    "line",
    [
        'golden = ROOT.parent / "shared"',
        "golden = Path(__file__).parents[2]",
        "golden = Path(__file__).resolve().parent.parent.parent",
        'golden = ROOT / "../shared"',
        'golden = Path("../shared")',
        'golden = open("../shared/record.json")',
    ],
)
def test_a_path_out_of_the_project_is_noticed(line: str) -> None:
    assert list(paths_outside(f"x = 1\n{line}\n", depth=2)) == [2]


@pytest.mark.parametrize(
    "line",
    ["here = Path(__file__).parents[1]", 'here = ROOT / "data"', 'path = "../../etc/passwd"'],
)
def test_a_path_inside_is_not(line: str) -> None:
    assert list(paths_outside(line, depth=2)) == []
