"""A W&B media file, `media/html/metadata_<step>_<hash>.html`: one record as `<pre>{json}</pre>`.

W&B puts its own `<base>` and `<link>` in front and escapes nothing, so the record is what stands
between the first `<pre>` and the last `</pre>`.
"""

import json
import re
from datetime import datetime
from pathlib import Path

from data.errors import LogError
from data.json_logs import MAX_RECORD_BYTES, read_record, unparsed
from data.records import LogItem, Place, Reject
from data.text import printable

_NAME = re.compile(r"metadata_(\d{1,9})_[0-9a-f]+\.html")


def media_step(name: str) -> int | None:
    """The W&B step in the name of a media file, or None for another name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def read_media_html(
    path: Path,
    file: str,
    position: int = 0,
    *,
    run_id: str | None = None,
    step: int | None = None,
    time: datetime | None = None,
) -> LogItem:
    """Read the record of one media file.

    Raises:
        LogError: the file cannot be opened.
    """
    place = Place(file, position, run_id, step, time)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_RECORD_BYTES)
    except OSError as error:
        raise LogError(str(path), found=error.strerror, expected="a readable file") from None
    start, end = raw.find(b"<pre>"), raw.rfind(b"</pre>")
    if start < 0 or end < start:
        found = "no <pre>" if start < 0 else "no closing </pre>: cut off"
        reason = f"media file {path.name}: found {found}; expected <pre>{{json}}</pre>"
        return Reject(place, printable(reason), printable(raw[-100:].decode("utf-8", "replace")))
    inside = raw[start + len(b"<pre>") : end].decode("utf-8", "replace")
    try:
        return read_record(json.loads(inside), place)
    except (ValueError, RecursionError) as error:
        return unparsed(file, position, error, inside)
