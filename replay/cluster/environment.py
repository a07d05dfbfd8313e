"""What has to be the same in every process that answers parts of one run."""

import hashlib
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data.errors import RunError
from replay.rebuilding.image_keys import packages

_PROJECT = "streetreplay"
_ROOT = Path(__file__).parents[2]
# What plans, reads sources, rebuilds and answers.
_CODE = ("analytics", "data", "model", "replay")
_SHOWN_DIGITS = 12


@cache
def environment() -> dict[str, str]:
    """Versions of this process's Python, of StreetReplay, its code, and what images hang on."""
    try:
        project = version(_PROJECT)
    except PackageNotFoundError:  # a bare checkout
        project = "not installed"
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        _PROJECT: project,
        f"{_PROJECT}'s code": _code_sha256()[:_SHOWN_DIGITS],
        **packages(),
        # compiles the loops that read and resize
        "numba": version("numba"),
    }


def _code_sha256() -> str:
    digest = hashlib.sha256()
    for file in sorted(file for package in _CODE for file in _modules(_ROOT / package)):
        digest.update(file.relative_to(_ROOT).as_posix().encode() + b"\0")
        # a checkout on Windows ends its lines otherwise
        digest.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def _modules(package: Path) -> Iterator[Path]:
    """The modules of a package and those below it; a store in the folder is none."""
    yield from package.glob("*.py")
    for initial in package.glob("*/__init__.py"):
        yield from _modules(initial.parent)


def check_environment(where: str, worker: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """Refuse a worker of another version: its answers could be others.

    Args:
        where: the worker is, for the error.
        worker: its `environment`.
        expected: that of the process that asks.

    Raises:
        RunError: they differ; the first difference is named.
    """
    for name, wanted in expected.items():
        if (installed := worker.get(name)) != wanted:
            raise RunError(
                f"worker on {where}",
                found=f"{name} {installed}",
                expected=f"{wanted}, as here",
                remedy="install the same versions on every node",
            )
