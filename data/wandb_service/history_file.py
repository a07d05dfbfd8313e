"""The history of a run as it grows on disk: whole rows as JSON lines, appended.

A process that is killed leaves at most a line without its end. So the last whole line says where to
go on, and nothing else has to be written down.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

_CHUNK = 2**16
_ROWS_A_SYNC = 1000


def last_row(file: Path) -> tuple[int, int]:
    """The step of the last whole row and the byte that it begins at; -1 and 0 without one."""
    try:
        with file.open("rb") as stream:
            end = _end_of_lines(stream, stream.seek(0, os.SEEK_END))
            while end:
                start = _end_of_lines(stream, end - 1)
                stream.seek(start)
                step = _step(stream.read(end - start))
                if step is not None:
                    return step, start
                end = start
    except FileNotFoundError:
        pass
    return -1, 0


def append_rows(file: Path, rows: Iterable[dict[str, Any]], start: int) -> None:
    """Write rows from a byte of the file on; what was there is replaced once there is a row.

    Args:
        file: the JSON lines; made if it does not exist.
        rows: in order of their steps.
        start: where the first row belongs.

    Raises:
        OSError: the disk is full, or the file may not be written.
    """
    stream: IO[bytes] | None = None
    try:
        for number, row in enumerate(rows):
            if stream is None:
                stream = file.open("r+b" if file.exists() else "wb")
                stream.truncate(start)
                stream.seek(start)
            stream.write(json.dumps(row).encode() + b"\n")
            if number % _ROWS_A_SYNC == 0:
                stream.flush()
    finally:
        if stream is not None:
            stream.flush()
            os.fsync(stream.fileno())
            stream.close()


def _end_of_lines(stream: IO[bytes], end: int) -> int:
    """The byte after the last line end among the first `end` bytes; 0 without one."""
    while end:
        start = max(0, end - _CHUNK)
        stream.seek(start)
        found = stream.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _step(line: bytes) -> int | None:
    try:
        step = json.loads(line)["_step"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return step if isinstance(step, int) and not isinstance(step, bool) and step >= 0 else None
