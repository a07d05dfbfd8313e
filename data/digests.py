"""Digests of files, by which equal content is recognised."""

import hashlib
from pathlib import Path


def file_digest(file: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; empty where it is no file or cannot be read."""
    if not file.is_file():  # opening a pipe would wait for ever
        return ""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
