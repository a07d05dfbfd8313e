"""Parse single logged values: from what JSON gave to a typed value.

Text is never evaluated: GPS and tag lists are matched against their own small grammars. Each raises
`FieldError` for a value that its key does not promise.
"""

import math
import re
from typing import Any

from data.errors import FieldError
from data.records.types import NullKind
from data.text import base_name, printable, storable

_INT64 = 2**63
# Logged text may be megabytes long: these expressions never backtrack, so that text that does not
# match is refused in linear time.
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_INTEGER = re.compile(r"([+-]?\d{1,18})(?:\.0)?", re.ASCII)
_GPS = re.compile(rf"\s*[\[(]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[\])]\s*", re.ASCII)
# One element of a Python list of strings as `str(list)` writes it: quotes, backslash escapes.
_TAG = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|$)""")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4}|.)")
_PARQUET = re.compile(r"[A-Za-z0-9._ -]+\.parquet", re.ASCII)
_MAX_LATITUDE, _MAX_LONGITUDE = 90.0, 180.0
_SHOWN = 60
MOST_NULL_WORD_CHARACTERS = 60
"""A longer text is no word for no value, and no such word is longer."""

_BETWEEN = re.compile(r"[\s._-]")
# Words for no value; compared without case, spaces, dots, hyphens and underscores.
_WORDS = frozenset({"unknown", "nodescription", "none", "null", "nan", "na", "n/a"})


def _wrong(value: object, expected: str) -> FieldError:
    return FieldError("value", found=printable(repr(value), _SHOWN), expected=expected)


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise _wrong(value, "text")
    return storable(value)


def scalar_text(value: object) -> str:
    """A string, or a number kept as text (`date_captured` occurs as both)."""
    return str(value) if isinstance(value, int | float) else text(value)


def name(value: object) -> str:
    """The base name of a logged path: a name, never a place to read."""
    return base_name(text(value))


def parquet_name(value: object) -> str:
    """The base name of a logged parquet path."""
    base = name(value)
    if not _PARQUET.fullmatch(base):
        raise _wrong(value, "a path that ends in NAME.parquet")
    return base


def integer(value: object) -> int:
    """An integer of at most 64 bits, also as the text `3`, the number 3.0 or the text `3.0`.

    pandas writes the last for a column of integers with missing values.
    """
    if isinstance(value, str) and (match := _INTEGER.fullmatch(value)):
        value = int(match[1])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise _wrong(value, "a whole number")
    return value


def natural(value: object) -> int:
    """An integer in 0..2**31 - 1 (a row index, a size in pixels)."""
    number = integer(value)
    if not 0 <= number < 2**31:
        raise _wrong(value, "a whole number in 0..2147483647")
    return number


def number(value: object) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, "a number")
    try:
        result = float(value)
    except OverflowError:
        raise _wrong(value, "a number within double range") from None
    if not math.isfinite(result):
        raise _wrong(value, "a finite number")
    return result


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong(value, "true or false")
    return value


def gps(value: object) -> tuple[float, float]:
    """Latitude and longitude in degrees from `[lat, lon]` as text or as a list of two numbers."""
    expected = "[latitude, longitude] in degrees"
    match value:
        case [first, second]:
            latitude, longitude = number(first), number(second)
        case str() if match := _GPS.fullmatch(value):
            latitude, longitude = float(match[1]), float(match[2])
        case _:
            raise _wrong(value, expected)
    # `not <=` also refuses NaN
    if not (abs(latitude) <= _MAX_LATITUDE and abs(longitude) <= _MAX_LONGITUDE):
        raise _wrong(value, expected)
    return latitude, longitude


def tags(value: object) -> tuple[str, ...]:
    """The entries of a text list such as `['Lane Shift', 'Partially Blocked']`, or of a JSON list.

    Text in no brackets is one tag. `[]` and `''` give no tags.
    """
    if isinstance(value, list):
        return tuple(text(item) for item in value)
    written = text(value).strip()
    if not written.startswith("["):
        return (written,) if written else ()
    if not written.endswith("]"):
        raise _wrong(value, "a list of quoted words in brackets")
    return _quoted_items(written[1:-1].strip(), value)


def _quoted_items(inside: str, value: object) -> tuple[str, ...]:
    items: list[str] = []
    position = 0
    while position < len(inside):
        match = _TAG.match(inside, position)
        if match is None:
            raise _wrong(value, "a list of quoted words in brackets")
        quoted = match[1] if match[1] is not None else match[2]
        items.append(storable(_ESCAPE.sub(_unescaped, quoted)))
        position = match.end()
    return tuple(items)


def _unescaped(escape: re.Match[str]) -> str:
    """The character that `repr` wrote as an escape."""
    code = escape[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)


def null_kind(value: Any) -> NullKind | None:
    """The NULL kind of a value that is in the record; None if it is a real value."""
    if value is None:
        return NullKind.NULL
    if isinstance(value, float) and math.isnan(value):
        return NullKind.NULL
    if isinstance(value, str | tuple | list) and len(value) == 0:
        return NullKind.EMPTY
    words = value if isinstance(value, tuple) else (value,)
    return NullKind.WORD if all(map(_is_null_word, words)) else None


def _is_null_word(value: object) -> bool:
    if not isinstance(value, str) or len(value) > MOST_NULL_WORD_CHARACTERS:
        return False
    return _BETWEEN.sub("", value).casefold() in _WORDS
