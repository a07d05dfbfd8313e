"""Text from logs, made safe to store and to print: logs are untrusted input."""

import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` with lone surrogates (legal in JSON, not in UTF-8) replaced by U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def printable(text: str, limit: int | None = None) -> str:
    """`text` with control characters escaped, so that a log cannot drive a terminal.

    Args:
        text: anything, for instance a value of a log.
        limit: cut to so many characters, the last then being an ellipsis.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def base_name(path: str) -> str:
    """The last part of a path that a log names: a name, never a place to read."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
