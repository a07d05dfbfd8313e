"""Parse a text of several JSON values, and report each stretch of it that is broken.

The time is linear in the length of the text, however many values are broken and however they are
nested: logs are untrusted, and one that was cut off often is broken often.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# What may stand between records: an array's brackets and commas, white space.
_SEPARATORS = re.compile(r"[\s,\[\]]*")
_NEXT_RECORD = re.compile(r"\n[ \t,\[]*(\{)")
_NUL_BYTES_MARK = re.compile(r"\0(\d*)")
# A string (closed or not), or a bracket: the alternatives share no first character.
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
# A record that was cut off swallows those behind it, so parsing is tried again inside the text that
# failed. After so many failures there each try skips twice as many characters as the one before.
_FAILURES_BEFORE_SKIPPING = 8
_MOST_DOUBLINGS = 40


@dataclass(frozen=True)
class Parsed:
    """A whole value; `repeated` is a key that stands twice in one of its objects."""

    value: Any
    repeated: str | None


@dataclass(frozen=True)
class Broken:
    """Text that is no JSON: offsets of the value and of where the parser stopped, and why."""

    start: int
    stop: int
    reason: str


@dataclass(frozen=True)
class NulBytes:
    """So many NUL bytes in a row, as a crash leaves them: the text that they replaced is lost."""

    count: int


def nul_bytes_mark(count: int) -> bytes:
    """What stands for `count` NUL bytes in a row in the text that `json_values` reads: a line."""
    return b"\n\0%d\n" % count


class _UncountedText(str):
    """A text whose lines cannot be counted: every `JSONDecodeError` would count them all anew."""

    def count(self, *_: object) -> int:
        return 0

    def rfind(self, *_: object) -> int:
        return -1


class _Decoder(json.JSONDecoder):
    """A JSON decoder that also reports a repeated key, and text that is no JSON without raising."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=self._object, parse_int=_integer)
        self._repeated: str | None = None

    def decode_at(self, text: str, start: int) -> tuple[Parsed, int] | Broken:
        """The value that starts at `start` with where it ends, or why there is none."""
        self._repeated = None
        try:
            value, end = self.raw_decode(text, start)
        except json.JSONDecodeError as error:
            return Broken(start, error.pos, error.msg)
        except RecursionError:
            return Broken(start, _too_deep(text, start), "nested too deeply")
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


def _integer(digits: str) -> int | str:
    """An integer; one of more digits than Python converts stays text, which no field accepts."""
    return int(digits) if len(digits) <= sys.int_info.str_digits_check_threshold else digits


def _too_deep(text: str, start: int) -> int:
    """The offset by which a parser that started at `start` gave up for the depth of nesting."""
    depth, limit = 0, sys.getrecursionlimit()
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
    text = _UncountedText(text)
    start = len(text) - len(text.lstrip())
    decoded = _Decoder().decode_at(text, start)
    if isinstance(decoded, Broken):
        return decoded
    parsed, end = decoded
    if rest := text[end : end + 200].strip():
        return Broken(start, end + text[end:].index(rest[0]), "Extra data")
    return parsed


def json_values(text: str) -> Iterator[Parsed | Broken | NulBytes]:
    """The values of a text in order, whether one after another or in an array.

    Brackets and commas between values are skipped. After a broken value, or one that is no
    object, reading goes on at the next line that begins an object.
    """
    text = _UncountedText(text)
    decoder = _Decoder()
    at = furthest = failures = 0
    while (at := _SEPARATORS.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        if nul_bytes := _NUL_BYTES_MARK.match(text, at):
            yield NulBytes(int(nul_bytes[1] or 1))
            at = nul_bytes.end()
            continue
        if at >= furthest:
            failures = 0
        decoded = decoder.decode_at(text, at)
        if not isinstance(decoded, Broken):
            parsed, at = decoded
            yield parsed
            if not isinstance(parsed.value, dict):  # the end of a record that was cut
                at = _next_start(text, at)
            continue
        yield decoded
        furthest, failures = max(furthest, decoded.stop), failures + 1
        at = _next_start(text, at + _skipped_characters(failures))


def _skipped_characters(failures: int) -> int:
    return 1 if failures <= _FAILURES_BEFORE_SKIPPING else 2 ** min(failures, _MOST_DOUBLINGS)


def _next_start(text: str, at: int) -> int:
    following = _NEXT_RECORD.search(text, at)
    return following.start(1) if following else len(text)
