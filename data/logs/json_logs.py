"""Read Media records from JSON logs: one record, an array, JSON lines or pretty-printed objects.

A file is read piece by piece, one record at a time, however long it is.
A broken record becomes a `Reject` and the records around it are read; in an array on one line the
rest of that line is lost with it, as nothing marks the next record's start. A file that cannot be
opened, or that ends too early, is a reject too.
"""

import codecs
import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, overload

from data.columnar.blocks import BlockReader, Lines
from data.columnar.clean_record import CleanRecord
from data.columnar.clean_rows import CleanRows, rows_of_lines
from data.columnar.line_reader import CleanLineReader
from data.columnar.repeated_rejects import HistoryRow, without_repeated_rejects
from data.errors import RecordError, is_of_the_machine
from data.json_text.decoder import Broken, Parsed, json_value
from data.json_text.values import NulBytes, ParsedText, json_values
from data.logs.decompression import OnBytes, open_log, open_plain_text
from data.logs.line_spans import MAX_RECORD_BYTES, line_blocks, lines_of
from data.progress import no_report
from data.records.media_record import EXCERPT_CHARACTERS, read_challenge
from data.records.not_media_record import is_history_row
from data.records.types import LogItem, Origin, Reject
from data.text import printable

# A first line shorter than any record: an object that begins in it ends on a later line.
_SHORT_LINE = 200
_PIECE_BYTES = 2**20

# What "surrogateescape" makes of a byte that is no UTF-8, and what no JSON holds anywhere.
_UNDECODED, _NO_JSON = re.compile("[\udc80-\udcff]"), "\x1a"


@dataclass(frozen=True)
class Reached:
    """How far a log of JSON lines was read: to a byte, and to the position of the record there."""

    byte: int
    position: int


_HISTORY_ROW = HistoryRow()

_Item = LogItem | CleanRecord | CleanRows | HistoryRow


@overload
def read_json_log(path: Path, file: str) -> Iterator[LogItem]: ...


@overload
def read_json_log(
    path: Path,
    file: str,
    clean: CleanLineReader | None,
    reached: Reached | None = None,
    on_bytes: OnBytes = no_report,
) -> Iterator[LogItem | CleanRecord | CleanRows]: ...


def read_json_log(
    path: Path,
    file: str,
    clean: CleanLineReader | None = None,
    reached: Reached | None = None,
    on_bytes: OnBytes = no_report,
) -> Iterator[LogItem | CleanRecord | CleanRows]:
    """Read every record of a JSON log, in order.

    Args:
        path: a file of JSON, JSON lines or pretty-printed JSON, compressed or not.
        file: its name in the store.
        clean: takes the lines that it can, where records are one a line.
        reached: where to go on in plain JSON lines, by `log_state.grew_from`; None reads all.
        on_bytes: called while the file is read.
    """
    try:
        if reached is not None or is_of_lines(path):
            items = _read_lines(path, file, clean, reached, on_bytes)
        else:
            items = _read_document(path, file, clean, on_bytes)
        yield from without_repeated_rejects(items, file)
    except OSError as error:
        yield _cut_off(file, 0 if reached is None else reached.position, error)


def is_of_lines(path: Path) -> bool:
    """Whether the records of a JSON log are one a line, by its first line.

    Raises:
        OSError: the file cannot be opened, or its compressed data is damaged from the start.
    """
    with open_log(path) as stream:
        first = next((line for line in lines_of(stream) if _has_text(line)), b"")
    return not _is_document(first.strip())


def _has_text(line: bytes) -> bool:
    return bool(line.strip()) and not line.startswith(b"\0")


def _is_document(first: bytes) -> bool:
    """True if records are not one a line: an array, or an object that spans several lines."""
    if first.startswith(b"["):
        return True
    return (
        first.startswith(b"{")
        and len(first) < _SHORT_LINE
        and not first.rstrip(b",").endswith(b"}")
    )


def _read_lines(
    path: Path,
    file: str,
    clean: CleanLineReader | None,
    reached: Reached | None,
    on_bytes: OnBytes,
) -> Iterator[_Item]:
    position = 0 if reached is None else reached.position
    failed: list[OSError] = []
    with ExitStack() as opened:
        if isinstance(clean, BlockReader):
            blocks = line_blocks(path, 0 if reached is None else reached.byte, on_bytes, opened)
            read_unclean = partial(_line_items, file=file)
            items = rows_of_lines(
                clean, _until_failure(blocks, failed), file, position, read_unclean, on_bytes
            )
        else:
            lines = lines_of(opened.enter_context(_open_text(path, reached, on_bytes)))
            items = _items_of_lines(lines, file, clean, position)
        try:
            for item in items:
                yield item
                position += item.size if isinstance(item, CleanRows) else 1
        except OSError as error:
            failed.append(error)
    if failed:
        yield _cut_off(file, position, failed[0])


def _open_text(path: Path, reached: Reached | None, on_bytes: OnBytes) -> io.BufferedReader:
    if reached is None:
        return open_log(path, on_bytes)
    return open_plain_text(path, reached.byte, on_bytes)


def _until_failure(blocks: Iterator[Lines], failed: list[OSError]) -> Iterator[Lines]:
    """Blocks until they cannot be read: those before are waiting to be."""
    try:
        yield from blocks
    except OSError as error:
        failed.append(error)


def _items_of_lines(
    lines: Iterable[bytes], file: str, clean: CleanLineReader | None, position: int
) -> Iterator[_Item]:
    for line in lines:
        if clean is not None and (record := clean.read(line, position)) is not None:
            yield record
            position += 1
            continue
        for item in _line_items(line, position, file):
            yield item
            position += 1


def _line_items(line: bytes, position: int, file: str) -> Iterator[LogItem | HistoryRow]:
    """The items of a line that is not clean, the first at `position`."""
    before = position
    for item in _read_line(line, file, position):
        yield item
        position += 1
    if position == before and len(line.strip()) > 1:
        yield _unparsed(Origin(file, position), "no record", line.decode("utf-8", "replace"))


def _read_document(
    path: Path, file: str, clean: CleanLineReader | None, on_bytes: OnBytes
) -> Iterator[_Item]:
    failed: list[OSError] = []
    position = 0
    with open_log(path, on_bytes) as stream:
        for value in json_values(_pieces(stream, failed), MAX_RECORD_BYTES):
            record = None
            if clean is not None and isinstance(value, ParsedText):
                record = clean.read(value.text.encode(), position)
            yield _item(value, Origin(file, position)) if record is None else record
            position += 1
    if failed:
        yield _cut_off(file, position, failed[0])


def _pieces(stream: io.BufferedReader, failed: list[OSError]) -> Iterator[str]:
    """A document's text, up to where reading fails; a byte that is no UTF-8 breaks its record."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    raw = b"more"
    while raw:
        try:
            raw = stream.read1(_PIECE_BYTES)
        except OSError as error:
            failed.append(error)
            raw = b""
        yield _UNDECODED.sub(_NO_JSON, decoder.decode(raw, final=not raw))


def _read_line(raw: bytes, file: str, position: int) -> Iterator[LogItem | HistoryRow]:
    """The records of a line: one object, or several, in an array or not."""
    try:
        text = raw.decode("utf-8-sig")  # concatenated files have byte order marks inside
    except UnicodeDecodeError as error:
        problem, shown = f"no UTF-8 ({error.reason})", raw.decode("utf-8", "replace")
        yield _unparsed(Origin(file, position), problem, shown)
        return
    yield from _read_text_values(text, file, position)


def _read_text_values(text: str, file: str, position: int) -> Iterator[LogItem | HistoryRow]:
    for index, value in enumerate(json_values([text], MAX_RECORD_BYTES), position):
        yield _item(value, Origin(file, index))


def _item(value: Parsed | Broken | NulBytes, origin: Origin) -> LogItem | HistoryRow:
    if isinstance(value, NulBytes):
        problem = f"{value.count} NUL bytes in a row"
        expected = "one JSON object; the text that they replaced is lost"
        return Reject(origin, f"record: found {problem}; expected {expected}", "")
    if isinstance(value, Parsed) and is_history_row(value.value):
        return _HISTORY_ROW
    return _record(value, origin)


def read_text_record(text: str, origin: Origin) -> LogItem:
    """The one record that a text holds, or the `Reject` that says why it holds none."""
    return _record(json_value(text), origin)


def _record(value: Parsed | Broken, origin: Origin) -> LogItem:
    if isinstance(value, Broken):
        return _broken(value, origin)
    if value.repeated is not None:
        key = printable(repr(value.repeated), 40)
        reason = f"record: found the key {key} twice in one object; expected each key once"
        return Reject(origin, reason, _excerpt(value.value))
    try:
        return read_challenge(value.value, origin)
    except RecordError as error:
        return Reject(origin, printable(str(error)), _excerpt(value.value))
    except RecursionError:
        return Reject(origin, "record: found one nested too deeply; expected a Media record", "")


def _broken(value: Broken, origin: Origin) -> Reject:
    """The reject of text that is no JSON, with the text where the parser stopped."""
    problem = f"{'text cut off' if value.cut_off else 'broken text'} ({value.reason})"
    return _unparsed(origin, problem, value.shown)


def _unparsed(origin: Origin, problem: str, text: str) -> Reject:
    excerpt = printable(text[: 2 * EXCERPT_CHARACTERS].strip(), EXCERPT_CHARACTERS)
    return Reject(origin, printable(f"record: found {problem}; expected one JSON object"), excerpt)


def _cut_off(file: str, position: int, error: OSError) -> Reject:
    problem = error.strerror or error
    reason = f"log: found {problem}; expected a whole file; what came before is kept"
    origin = Origin(file, position)
    return Reject(origin, printable(reason), "", is_passing=is_of_the_machine(error))


def _excerpt(record: Any) -> str:
    """The first of a record's text; of its lists and objects no more is written than is shown."""
    text = ""
    try:
        for part in json.JSONEncoder().iterencode(record):
            text += part[: EXCERPT_CHARACTERS + 1]
            if len(text) > EXCERPT_CHARACTERS:
                break
    except RecursionError:
        return "(nested too deeply to show)"
    return printable(text, EXCERPT_CHARACTERS)
