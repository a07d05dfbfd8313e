"""Text from logs, made safe to store and to print: logs are untrusted input."""

import os
import re
from pathlib import Path

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# Invisible characters that `str.isprintable` accepts: Unicode's Default_Ignorable_Code_Point less
# the controls. With them two names could look the same and differ.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def storable(text: str) -> str:
    """`text` with lone surrogates (legal in JSON, not in UTF-8) replaced by U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def printable(text: str, limit: int | None = None) -> str:
    """`text` with every invisible character escaped, so that a log cannot control a terminal.

    Escaped are control characters (line ends too), changes of the direction of text, characters
    without width, lone surrogates, and unassigned code points.

    Args:
        text: any text, for instance a value of a log.
        limit: the most characters; a longer text is cut, and ends in an ellipsis.
    """
    shown = text if limit is None else text[: limit + 1]
    if not is_printable(shown):
        shown = "".join(c if is_printable(c) else _escaped(c) for c in shown)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def printable_value(value: object) -> object:
    """A value of a table itself, or its text escaped where that has invisible characters."""
    if value is None or isinstance(value, int | float) or is_printable(text := str(value)):
        return value
    return printable(text)


def is_printable(text: str) -> bool:
    """True if every character of `text` is visible and stands for itself."""
    return text.isprintable() and (text.isascii() or _INVISIBLE.search(text) is None)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def base_name(path: str) -> str:
    """The last part of a path that a log names: a name, never a place to read."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def utf8_name(path: Path) -> str:
    """A path in UTF-8, as Arrow and DuckDB need it whatever the process's locale is.

    Raises:
        OSError: its bytes are no UTF-8.
    """
    try:
        return os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        raise OSError(f"{path}: a path that is not UTF-8") from None
