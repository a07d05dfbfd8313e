"""Parse a text of several JSON values, and report each stretch of it that is broken.

The text is read in pieces, and one value is held at a time. The time is linear in the length of
the text, however many values are broken and however they are nested: logs are untrusted, and one
that was cut off often is broken often.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from data.json_text.decoder import (
    MOST_LOOKED_AT,
    Broken,
    Decoder,
    Parsed,
    UncountedText,
    broken,
)

# What may stand between records: an array's brackets and commas, white space.
_SEPARATORS = re.compile(r"[\s,\[\]]*")
# A line that begins a record, or one that may where more of the text follows.
_NEXT_RECORD = re.compile(r"\n[ \t,\[]*(?:(\{)|\Z)")
_NUL_BYTES_MARK = re.compile(r"\0(\d*)")
# A record that was cut off swallows those behind it, so parsing is tried again inside the text that
# failed. After so many failures there each try skips twice as many characters as the one before.
_FAILURES_BEFORE_SKIPPING = 8
_MOST_DOUBLINGS = 40


@dataclass(frozen=True)
class NulBytes:
    """So many NUL bytes in a row, as a crash leaves them: the text that they replaced is lost."""

    count: int


@dataclass(frozen=True)
class ParsedText(Parsed):
    """A value with its text."""

    text: str


def nul_bytes_mark(count: int) -> bytes:
    """What stands for `count` NUL bytes in a row in the text that `json_values` reads: a line."""
    return b"\n\0%d\n" % count


def json_values(pieces: Iterable[str], most: int) -> Iterator[ParsedText | Broken | NulBytes]:
    """The values of a text in order, whether one after another or in an array.

    Brackets and commas between values are skipped. After a broken value, or one that is no
    object, reading goes on at the next line that begins an object. How a text is cut into pieces
    changes nothing.

    Args:
        pieces: the text.
        most: characters of one value; a longer one is broken. About twice as many are held.
    """
    return _Values(pieces, most).values()


class _Values:
    """The reading of one text: the stretch of it that is held, and where in it."""

    def __init__(self, pieces: Iterable[str], most: int) -> None:
        self._pieces, self._most = iter(pieces), most
        # one piece ahead, so that the last one is known to be that
        self._ahead = next(self._pieces, None)
        self._text = UncountedText()
        self._before = self._at = 0  # offsets: of what is held in all, of the next value in it
        self._decoder = Decoder()
        self._furthest = self._failures = 0  # the former an offset in all

    def values(self) -> Iterator[ParsedText | Broken | NulBytes]:
        while self._skip_separators():
            if nul_bytes := _NUL_BYTES_MARK.match(self._text, self._at):
                yield NulBytes(int(nul_bytes[1] or 1))
                self._at = nul_bytes.end()
                continue
            value, end = self._value()
            yield value
            if isinstance(value, Broken):
                self._failures = 1 + (self._failures if value.start < self._furthest else 0)
                self._furthest = max(self._furthest, value.stop)
                self._go_to_next_line(self._at + _skipped_characters(self._failures))
            elif isinstance(value.value, dict):
                self._at = end
            else:  # the end of a record that was cut
                self._go_to_next_line(end)

    def _skip_separators(self) -> bool:
        """Go to the next value, with enough text behind its start; false at the end of the text."""
        while True:
            self._at = _SEPARATORS.match(self._text, self._at).end()  # type: ignore[union-attr]
            if len(self._text) - self._at >= MOST_LOOKED_AT or not self._read_on():
                return self._at < len(self._text)

    def _value(self) -> tuple[ParsedText | Broken, int]:
        """The value that starts here, and where it ends."""
        while True:
            text, start = self._text, self._at
            decoded = self._decoder.decode_at(text, start)
            if isinstance(decoded, Broken):
                end = len(text) if decoded.is_open else decoded.stop
                is_known = not decoded.is_open and end + MOST_LOOKED_AT <= len(text)
            else:
                end = decoded[1]
                # of a number more digits may follow
                is_known = isinstance(decoded[0].value, dict) or end + MOST_LOOKED_AT <= len(text)
            if end - start > self._most:
                return self._too_long(), end
            if is_known or not self._read_on():
                break
        if not isinstance(decoded, Broken):
            parsed = decoded[0]
            return ParsedText(parsed.value, parsed.repeated, text[start:end]), end
        start, stop = self._before + decoded.start, self._before + decoded.stop
        return replace(decoded, start=start, stop=stop), end

    def _too_long(self) -> Broken:
        reason = f"more than {self._most} characters of one record"
        said = broken(self._text, self._at, self._at, reason)
        start = self._before + self._at
        return replace(said, start=start, stop=start + self._most)

    def _go_to_next_line(self, at: int) -> None:
        """Go to the next line from `at` on that begins an object, or to the end of the text."""
        self._at = at
        while True:
            following = _NEXT_RECORD.search(self._text, self._at)
            if following and following[1]:
                self._at = following.start(1)
                return
            if following:  # of the blanks behind it the first stands for all
                self._before += len(self._text) - 1
                self._text, self._at = UncountedText("\n"), 0
            else:
                self._at = max(self._at, len(self._text))
            if not self._read_on():
                self._at = len(self._text)
                return

    def _read_on(self) -> bool:
        """Drop what was read, and hold twice as much as is left; false at the end of the text."""
        if self._ahead is None:
            return False
        kept = self._text[self._at :]
        parts, size, least = [kept], len(kept), 2 * len(kept)
        while self._ahead is not None and size <= least:
            parts.append(self._ahead)
            size += len(self._ahead)
            self._ahead = next(self._pieces, None)
        dropped = min(self._at, len(self._text))
        self._before += dropped
        self._at -= dropped
        self._text = UncountedText("".join(parts))
        return True


def _skipped_characters(failures: int) -> int:
    return 1 if failures <= _FAILURES_BEFORE_SKIPPING else 2 ** min(failures, _MOST_DOUBLINGS)
