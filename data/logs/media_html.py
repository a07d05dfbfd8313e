"""Read W&B media files, `media/html/metadata_<step>_<hash>.html`: a record in `<pre>{json}</pre>`.

W&B writes its own `<base>` and `<link>` in front and escapes nothing, so the record is the text
between the first `<pre>` and the last `</pre>`. A browser that saves the page adds attributes to
its elements and escapes the text.
"""

import html
import re
from datetime import datetime
from pathlib import Path

from data.columnar.clean_record import CleanRecord
from data.columnar.line_reader import CleanLineReader
from data.errors import is_of_the_machine
from data.logs.decompression import log_text
from data.logs.json_logs import read_text_record
from data.logs.line_spans import MAX_RECORD_BYTES
from data.records.types import LogItem, Origin, Reject
from data.text import printable

_NAME = re.compile(r"metadata_(\d{1,9})_[0-9a-f]+\.html")
_OPENING = re.compile(rb"<pre(?=[\s>/])", re.IGNORECASE)
# W&B writes neither element: a program that does has parsed the page, and escapes its text.
_SAVED_BY_BROWSER = re.compile(rb"<(?:html|body)[\s>]", re.IGNORECASE)
# Browsers do not escape quotes in text; other programs may.
_QUOTES_ESCAPED = re.compile(r"\s*\{\s*&(?:quot|#34|#x22);", re.IGNORECASE)


def media_step(name: str) -> int | None:
    """The W&B step in the name of a media file, or None for another name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def media_files(folder: Path) -> dict[int, list[Path]]:
    """The media files of a folder by step, each step's in order of name; empty without a folder.

    Raises:
        OSError: the folder may not be read.
    """
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        return {}
    files: dict[int, list[Path]] = {}
    for path in found:
        if (step := media_step(path.name)) is not None and path.is_file():
            files.setdefault(step, []).append(path)
    return files


def read_media_html(
    path: Path,
    file: str,
    position: int = 0,
    *,
    run_id: str | None = None,
    step: int | None = None,
    time: datetime | None = None,
    clean: CleanLineReader | None = None,
) -> LogItem | CleanRecord:
    """Read the record of one media file, or the reject of a file that holds none.

    `clean` takes a record that it can; it is then a `CleanRecord`.
    """
    origin = Origin(file, position, run_id, step, time)
    try:
        raw = log_text(path, MAX_RECORD_BYTES)
    except OSError as error:
        problem = error.strerror or error
        reason = f"media file {path.name}: found {problem}; expected a whole file"
        return Reject(origin, printable(reason), "", is_passing=is_of_the_machine(error))
    opening = _OPENING.search(raw)
    start = raw.find(b">", opening.end()) + 1 if opening else 0
    end = raw.lower().rfind(b"</pre>")
    if not start or end < start:
        problem = "no closing </pre>: cut off" if opening else "no <pre>"
        reason = f"media file {path.name}: found {problem}; expected <pre>{{json}}</pre>"
        return Reject(origin, printable(reason), printable(raw[-100:].decode("utf-8", "replace")))
    saved_by_browser = _SAVED_BY_BROWSER.search(raw, 0, start)
    if clean and not saved_by_browser and (record := clean.read(raw[start:end], position)):
        return record._replace(origin=origin)
    text = raw[start:end].decode("utf-8-sig", "replace")
    escaped = saved_by_browser or _QUOTES_ESCAPED.match(text)
    return read_text_record(html.unescape(text) if escaped else text, origin)
