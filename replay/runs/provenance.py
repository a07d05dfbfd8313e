"""Provenance of a run for its `run.json`: who ran it, when, where, and with which code."""

import getpass
import platform
import re
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from data.machine.processor import processor

_PROJECT = "streetreplay"
_DISTRIBUTION = re.compile(r"[A-Za-z0-9._-]+")


def provenance() -> dict[str, Any]:
    """The time in UTC, user, machine and processor, versions of all that is depended on, and git.

    `git_commit` and `git_dirty` are None where the code is no git checkout.
    """
    commit = _git("rev-parse", "HEAD")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "user": _user(),
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "streetreplay": _version(_PROJECT),
        "versions": _versions(),
        # images are the same on every one, a model's float answers may not be
        "processor": processor(),
        "git_commit": commit or None,
        "git_dirty": None if commit is None else bool(_git("status", "--porcelain")),
    }


@cache
def _versions() -> dict[str, str]:
    """Of the distributions that this project asks for itself; those that are not here left out."""
    try:
        requirements = requires(_PROJECT) or []
    except PackageNotFoundError:
        return {}
    names = {
        name.group()
        for requirement in requirements
        if "extra ==" not in requirement and (name := _DISTRIBUTION.match(requirement)) is not None
    }
    versions = {name: _version(name) for name in sorted(names)}
    return {name: installed for name, installed in versions.items() if installed is not None}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a number without a name, as in containers
        return None


def _git(*words: str) -> str | None:
    try:
        completed = subprocess.run(  # noqa: S603  (words are this module's own)
            ["git", *words],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return completed.stdout.strip()
