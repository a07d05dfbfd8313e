"""Digests of files, by which equal content is recognised."""

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def file_digest(file: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; empty where it is no file or cannot be read."""
    if not file.is_file():  # opening a pipe would wait for ever
        return ""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


@cache
def code_digest(*folders: str) -> str:
    """SHA-256 of the Python and SQL files in these folders: other code may give other numbers.

    Args:
        folders: packages or rooms of this project, such as `analytics/lives`, with all below.
    """
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted((_ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".sql"):
                digest.update(file.read_bytes())
    return digest.hexdigest()
