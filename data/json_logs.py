"""Media records from JSON: one record, several, an array, or JSON lines; plain or gzipped.

A broken record costs itself alone: it becomes a `Reject`, its neighbours are read.
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from data.challenges import EXCERPT_CHARACTERS, read_challenge
from data.errors import LogError, RecordError
from data.records import LogItem, Place, Reject
from data.text import printable

# A real record has about 12 kB. The bounds keep a decompression bomb from taking the memory.
MAX_RECORD_BYTES = 16 * 2**20
MAX_DOCUMENT_BYTES = 512 * 2**20

_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_DECODER = json.JSONDecoder()
# What may stand between records: an array's brackets and commas, white space.
_BETWEEN = re.compile(r"[\s,\[\]]*")
_NEXT_RECORD = re.compile(r"\n[ \t,\[]*(\{)")
# A first line shorter than any record: an object that is opened in it goes on below.
_SHORT = 200


def read_json_log(path: Path, file: str) -> Iterator[LogItem]:
    """Read every record of a JSON log, in order.

    Args:
        path: a file of JSON, JSON lines or pretty-printed JSON, gzipped or not (told by content).
        file: its name in the store.

    Raises:
        LogError: the file cannot be opened.
    """
    with _open(path) as stream:
        try:
            first = next((line for line in _lines(stream) if line.strip()), b"")
        except (OSError, EOFError, zlib.error) as error:
            yield _cut_off(file, 0, error)
            return
    whole = _is_document(first.removeprefix(_UTF8_MARK).strip())
    with _open(path) as stream:
        yield from (_read_document if whole else _read_lines)(stream, file)


def _is_document(first: bytes) -> bool:
    """True if records do not stand one a line: an array, or an object that goes on below."""
    if first.startswith(b"["):
        return True
    return first.startswith(b"{") and len(first) < _SHORT and not first.rstrip(b",").endswith(b"}")


def _open(path: Path) -> IO[bytes]:
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP_MAGIC
        return cast(IO[bytes], gzip.open(path)) if zipped else path.open("rb")
    except OSError as error:
        raise LogError(str(path), found=error.strerror, expected="a readable log file") from None


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of at most `MAX_RECORD_BYTES`; a longer one comes as its beginning."""
    while line := stream.readline(MAX_RECORD_BYTES):
        yield line
        while len(line) == MAX_RECORD_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_RECORD_BYTES)


def _read_lines(stream: IO[bytes], file: str) -> Iterator[LogItem]:
    position = 0
    lines = _lines(stream)
    while True:
        try:
            line = next(lines, None)
        except (OSError, EOFError, zlib.error) as error:
            yield _cut_off(file, position, error)
            return
        if line is None:
            return
        line = line.removeprefix(_UTF8_MARK)
        before = position
        for item in _read_text(line, file, position):
            yield item
            position += 1
        if position == before and len(line.strip()) > 1:
            yield _unparsed(file, position, "no record", line.decode("utf-8", "replace"))
            position += 1


def _read_document(stream: IO[bytes], file: str) -> Iterator[LogItem]:
    raw = _read_all(stream, file)
    if isinstance(raw, Reject):
        yield raw
    else:
        yield from _read_text(raw.removeprefix(_UTF8_MARK), file, 0)


def _read_text(raw: bytes, file: str, position: int) -> Iterator[LogItem]:
    """The records in a text: objects one after another, in an array or not.

    Brackets and commas between records are passed over. After a broken record reading goes on at
    the next line that begins one.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        yield _unparsed(
            file, position, f"no UTF-8 ({error.reason})", raw.decode("utf-8", "replace")
        )
        return
    at = 0
    while (at := _BETWEEN.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        try:
            record, at = _DECODER.raw_decode(text, at)
        # ValueError also covers integers of absurd length
        except (ValueError, RecursionError) as error:
            following = _NEXT_RECORD.search(text, at + 1)
            yield unparsed(file, position, error, text, at)
            at = following.start(1) if following else len(text)
        else:
            yield read_record(record, Place(file, position))
        position += 1


def read_record(record: Any, place: Place) -> LogItem:
    """One parsed record as a `Logged` challenge, or as the `Reject` that says why it is none."""
    try:
        return read_challenge(record, place)
    except RecordError as error:
        return Reject(place, printable(str(error)), _excerpt(record))
    except RecursionError:
        return Reject(place, "record: found one nested too deeply; expected a Media record", "")


def unparsed(
    file: str, position: int | None, error: Exception, text: str, start: int = 0
) -> Reject:
    """The reject of text that is no JSON: the reason, and the text where the parser stopped."""
    at = error.pos if isinstance(error, json.JSONDecodeError) else start
    reason = "nested too deeply" if isinstance(error, RecursionError) else _reason(error)
    ends_early = reason.startswith("Unterminated") or not text[at : at + _SHORT].strip()
    found = f"text cut off ({reason})" if ends_early else f"broken text ({reason})"
    return _unparsed(file, position, found, text[max(start, at - EXCERPT_CHARACTERS // 2) :])


def _reason(error: Exception) -> str:
    # without the position, which counts from the start of a file that may be large
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _unparsed(file: str, position: int | None, found: str, text: str) -> Reject:
    excerpt = printable(text[: 2 * EXCERPT_CHARACTERS].strip(), EXCERPT_CHARACTERS)
    reason = printable(f"record: found {found}; expected one JSON object")
    return Reject(Place(file, position), reason, excerpt)


def _read_all(stream: IO[bytes], file: str) -> bytes | Reject:
    parts = io.BytesIO()
    try:
        while part := stream.read(2**20):
            parts.write(part)
            if parts.tell() > MAX_DOCUMENT_BYTES:
                found = f"more than {MAX_DOCUMENT_BYTES} bytes of one document"
                return Reject(Place(file, 0), f"file: found {found}; expected JSON lines", "")
    except (OSError, EOFError, zlib.error) as error:
        return _cut_off(file, 0, error)
    return parts.getvalue()


def _cut_off(file: str, position: int, error: Exception) -> Reject:
    reason = f"compressed log: found {error}; expected a whole gzip file; what came before is kept"
    return Reject(Place(file, position), printable(reason), "")


def _excerpt(record: Any) -> str:
    try:
        return printable(json.dumps(record), EXCERPT_CHARACTERS)
    except RecursionError:
        return "(nested too deeply to show)"
