"""The last lines of a log as text, however long it is and whatever it holds."""

import os
import re
from pathlib import Path

from data.text import printable

_MOST_BYTES = 64 * 1024
_MOST_CHARACTERS = 400

# ECMA-48: control sequences, strings that end with BEL or ST, and escapes of two characters
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]*[0-~]"
)


def log_tail(file: Path, lines: int = 200) -> list[str]:
    """The last lines of a file, without a terminal's escapes, the oldest first.

    At most 64 KiB are read, from its end. Characters that cannot be seen are escaped, and a line is
    cut where it is longer than 400 characters.

    Args:
        file: in UTF-8; other bytes are shown as U+FFFD. Missing, it is empty.
        lines: how many at most.
    """
    shown = [as_text(line) for line in _last_bytes(file).decode(errors="replace").split("\n")]
    return [line for line in shown if line][-lines:]


def as_text(line: str) -> str:
    """A line of a log as a terminal would leave it, without escapes and in visible characters."""
    # a carriage return goes back to the line's beginning
    written = line.rstrip("\r").rpartition("\r")[2]
    return printable(_ESCAPES.sub("", written).rstrip(), _MOST_CHARACTERS)


def _last_bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _MOST_BYTES))
            content = stream.read(_MOST_BYTES)
    except OSError:
        return b""
    if size <= _MOST_BYTES or b"\n" not in content:
        return content
    return content.partition(b"\n")[2]  # the first line lacks its beginning
