"""Parse one JSON value, and say of text that is none where the parser stopped and why.

Python's own decoder, not a library that reads JSON in pieces: those measured (ijson, json-stream)
stop at the first error of a text, and none tells a key that stands twice.
"""

import json
import re
import sys
from dataclasses import dataclass
from typing import Any

# A string (closed or not), or a bracket: the alternatives share no first character.
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
# What of a broken text is shown begins this far before where the parser stopped.
_SHOWN_BEFORE, _SHOWN = 100, 400
# White space of this length behind where the parser stopped is taken for the end of the text.
_BEHIND = 200
_UNTERMINATED = "Unterminated"

MOST_LOOKED_AT = 512
"""What is said of text that is no JSON, and that it is none, rests on so many characters behind
where the parser stopped, unless a string is not terminated."""


@dataclass(frozen=True)
class Parsed:
    """A whole value; `repeated` is a key that stands twice in one of its objects."""

    value: Any
    repeated: str | None


@dataclass(frozen=True)
class Broken:
    """Text that is no JSON: offsets of the value and of where the parser stopped, and why.

    `shown` is the text there; `cut_off` is true where it seems to end too early.
    """

    start: int
    stop: int
    reason: str
    shown: str
    cut_off: bool

    @property
    def is_open(self) -> bool:
        """Whether the parser stopped for a string that no quote ends, wherever that began."""
        return self.reason.startswith(_UNTERMINATED)


class UncountedText(str):
    """A text whose lines cannot be counted: every `JSONDecodeError` would count them all anew."""

    def count(self, *_: object) -> int:
        """No line."""
        return 0

    def rfind(self, *_: object) -> int:
        """No line's start."""
        return -1


class Decoder(json.JSONDecoder):
    """A JSON decoder that also reports a repeated key, and text that is no JSON without raising."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=self._object, parse_int=_integer)
        self._repeated: str | None = None

    def decode_at(self, text: UncountedText, start: int) -> tuple[Parsed, int] | Broken:
        """The value that starts at `start` with where it ends, or why there is none."""
        self._repeated = None
        try:
            value, end = self.raw_decode(text, start)
        except json.JSONDecodeError as error:
            return broken(text, start, error.pos, error.msg)
        except RecursionError:
            return broken(text, start, _too_deep(text, start), "nested too deeply")
        return Parsed(value, self._repeated), end

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs) and self._repeated is None:
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self._repeated = key
                    break
                seen.add(key)
        return result


def broken(text: str, start: int, stop: int, reason: str) -> Broken:
    """What is said of a text that is no value from `start` on, by a parser that stopped there."""
    rest = text[stop : stop + _BEHIND].lstrip()
    cut_off = reason.startswith(_UNTERMINATED) or not rest or rest.startswith("\0")
    first = max(start, stop - _SHOWN_BEFORE)
    return Broken(start, stop, reason, text[first : first + _SHOWN], cut_off)


def _integer(digits: str) -> int | str:
    """An integer; one of more digits than Python converts stays text, which no field accepts."""
    return int(digits) if len(digits) <= sys.int_info.str_digits_check_threshold else digits


def _too_deep(text: str, start: int) -> int:
    """An offset that a parser that started at `start` reached before it gave up for the depth.

    How deep it gets depends on who called it: half of the limit it always reaches.
    """
    depth, limit = 0, sys.getrecursionlimit() // 2
    for match in _BRACKET.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        if depth > limit:
            return match.end()
    return len(text)


def nests_deeper(text: str, most: int) -> bool:
    """True for a JSON text that opens more than `most` brackets inside each other."""
    depth = 0
    for match in _BRACKET.finditer(text) if len(text) > most else ():
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        if depth > most:
            return True
    return False


def json_value(text: str) -> Parsed | Broken:
    """The one value that a text holds, with nothing but white space around it."""
    text = UncountedText(text)
    start = len(text) - len(text.lstrip())
    decoded = Decoder().decode_at(text, start)
    if isinstance(decoded, Broken):
        return decoded
    parsed, end = decoded
    if rest := text[end : end + 200].strip():
        return broken(text, start, end + text[end:].index(rest[0]), "Extra data")
    return parsed
