"""Media records from JSON: one record, several, an array, or JSON lines; plain or gzipped.

A broken record costs itself alone: it becomes a `Reject`, its neighbours are read.
"""

import gzip
import io
import json
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
_PRETTY_STARTS = (b"{", b"[")


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
    pretty = first.strip().removeprefix(b"\xef\xbb\xbf") in _PRETTY_STARTS
    with _open(path) as stream:
        yield from (_read_documents if pretty else _read_lines)(stream, file)


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
        if not line.strip():
            continue
        for item in _read_text(line, file, position):
            yield item
            position += 1


def _read_text(line: bytes, file: str, position: int) -> Iterator[LogItem]:
    """The records of one line: one object, or an array of them."""
    try:
        value = json.loads(line.decode("utf-8-sig"))
    # ValueError also covers bad UTF-8 and integers of absurd length
    except (ValueError, RecursionError) as error:
        yield unparsed(file, position, error, line)
        return
    for index, record in enumerate(value if isinstance(value, list) else [value]):
        yield read_record(record, Place(file, position + index))


def read_record(record: Any, place: Place) -> LogItem:
    """One parsed record as a `Logged` challenge, or as the `Reject` that says why it is none."""
    try:
        return read_challenge(record, place)
    except (RecordError, RecursionError) as error:
        return Reject(place, printable(str(error)), _excerpt(record))


def unparsed(file: str, position: int | None, error: Exception, raw: bytes) -> Reject:
    """The reject of text that is no JSON: the reason, and the text where the parser stopped."""
    at = error.pos if isinstance(error, json.JSONDecodeError) else 0
    around = raw[max(0, at - EXCERPT_CHARACTERS // 2) : at + EXCERPT_CHARACTERS]
    excerpt = printable(around.decode("utf-8", "replace").strip(), EXCERPT_CHARACTERS)
    reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    ends_early = at >= len(raw.rstrip()) or reason.startswith("Unterminated")
    found = f"text cut off ({reason})" if ends_early else f"broken text ({reason})"
    return Reject(
        Place(file, position), f"record: found {found}; expected one JSON object", excerpt
    )


def _read_documents(stream: IO[bytes], file: str) -> Iterator[LogItem]:
    """Pretty-printed JSON: an object, an array, or several of them one after another."""
    raw = _read_all(stream, file)
    if isinstance(raw, Reject):
        yield raw
        return
    text, decoder, at, position = raw.decode("utf-8-sig", "replace"), json.JSONDecoder(), 0, 0
    while (at := _skip_space(text, at)) < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield unparsed(file, position, error, text.encode())
            at = _next_document(text, at)
            position += 1
            continue
        for record in value if isinstance(value, list) else [value]:
            yield read_record(record, Place(file, position))
            position += 1


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


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _next_document(text: str, at: int) -> int:
    """Where the next document starts: a `{` or `[` that begins a line, as pretty-printers write."""
    starts = [found for mark in "{[" if (found := text.find("\n" + mark, at)) >= 0]
    return min(starts, default=len(text))


def _cut_off(file: str, position: int, error: Exception) -> Reject:
    reason = f"compressed log: found {error}; expected a whole gzip file; what came before is kept"
    return Reject(Place(file, position), printable(reason), "")


def _excerpt(record: Any) -> str:
    try:
        return printable(json.dumps(record), EXCERPT_CHARACTERS)
    except RecursionError:
        return "(nested too deeply to show)"
