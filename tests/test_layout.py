"""How files lie: small ones, rooms of a dozen, tests in the rooms of what they test."""

from collections import Counter
from pathlib import Path

from tests.conftest import ROOT

PACKAGES = ("analytics", "dashboards", "data", "model", "replay", "tests")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MIRRORED = tuple(ROOT / "tests" / package for package in PACKAGES if package != "tests")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_files_have_at_most_300_lines() -> None:
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}


def test_rooms_have_at_most_15_files() -> None:
    files = Counter(relative(path.parent) for path in MODULES if path.name != "__init__.py")
    assert {room: count for room, count in files.items() if count > 15} == {}


def test_packages_stay_empty() -> None:
    """Nothing is imported by importing a room."""
    marks = [path for path in MODULES if path.name == "__init__.py"]
    assert [relative(path) for path in marks if path.read_bytes()] == []


def test_tests_lie_in_the_rooms_of_what_they_test() -> None:
    for package in MIRRORED:
        rooms = {path.parent.name for path in package.glob("*/__init__.py")}
        assert rooms, package
        assert rooms <= {path.parent.name for path in (ROOT / package.name).glob("*/__init__.py")}
