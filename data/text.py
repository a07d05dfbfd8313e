"""Text from logs, made safe to store and to print: logs are untrusted input."""

import os
import re
from pathlib import Path

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# What shows nothing though `str.isprintable` lets it pass: Unicode's Default_Ignorable_Code_Point
# less the controls. Two names that look the same would not be the same.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def storable(text: str) -> str:
    """`text` with lone surrogates (legal in JSON, not in UTF-8) replaced by U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def printable(text: str, limit: int | None = None) -> str:
    """`text` with everything escaped that does not show, so that a log cannot drive a terminal.

    Escaped are control characters (line ends too), what changes the direction of text, what has no
    width, lone surrogates, and code points without a character.

    Args:
        text: anything, for instance a value of a log.
        limit: cut to so many characters, the last then being an ellipsis.
    """
    shown = text if limit is None else text[: limit + 1]
    if not is_printable(shown):
        shown = "".join(c if is_printable(c) else _escaped(c) for c in shown)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def is_printable(text: str) -> bool:
    """Whether every character of `text` shows, and nothing but itself."""
    return text.isprintable() and (text.isascii() or _INVISIBLE.search(text) is None)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def base_name(path: str) -> str:
    """The last part of a path that a log names: a name, never a place to read."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def utf8_name(path: Path) -> str:
    """A path as Arrow and DuckDB take it: in UTF-8, which need not be how this process names files.

    Raises:
        OSError: its bytes are no UTF-8.
    """
    try:
        return os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        raise OSError(f"{path}: a path that is not UTF-8") from None
