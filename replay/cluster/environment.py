"""What has to be the same in every process that answers parts of one run."""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data.errors import RunError
from replay.rebuilding.image_keys import packages

_PROJECT = "streetreplay"
_ROOT = Path(__file__).parents[2]
# What rebuilds, reads sources and answers; nothing else of the project changes an answer.
_CODE = ("data", "model", "replay")
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
    }


def _code_sha256() -> str:
    digest = hashlib.sha256()
    for package in _CODE:
        for file in sorted((_ROOT / package).rglob("*.py")):
            digest.update(file.relative_to(_ROOT).as_posix().encode() + b"\0")
            # a checkout on Windows ends its lines otherwise
            digest.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


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
