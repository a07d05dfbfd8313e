"""What has to be the same in every process that works on one task of a person."""

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data.errors import RunError

_PROJECT = "streetreplay"
_ROOT = Path(__file__).parents[2]
_MISSING = "not installed"
_SHOWN_DIGITS = 12


@cache
def environment(code: tuple[str, ...], packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of this process's Python, of StreetReplay, its code, and what the work hangs on.

    Args:
        code: packages of this project that do the work.
        packages: of others, as they are called where they are published.
    """
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        # not installed in a bare checkout
        _PROJECT: _version(_PROJECT),
        f"{_PROJECT}'s code": _code_sha256(code)[:_SHOWN_DIGITS],
        **{package: _version(package) for package in packages},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return _MISSING


def _code_sha256(packages: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for package in packages for file in _modules(_ROOT / package)):
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
