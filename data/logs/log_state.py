"""What a log that was read before is recognised by: the state of its files, or its beginning."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from data.archives.members import MemberPath
from data.logs.decompression import is_plain_text
from data.logs.file_names import path_text
from data.logs.json_logs import is_of_lines
from data.logs.log_kind import LogFile, LogKind

_ENDS = 2**16
_CHUNK = 2**20
# A file may be written again within the resolution of its time (2 s on FAT, 1 s on some others).
_SETTLED_NANOSECONDS = 3 * 10**9


def log_state(log: LogFile) -> str:
    """SHA-256 of the names, sizes and times of a log's files, and of the ends of the log itself.

    Equal states are taken for equal content. Empty where that would not be safe: a file cannot be
    read, or was written less than three seconds ago.
    """
    now, digest = time.time_ns(), hashlib.sha256()
    if isinstance(log.path, MemberPath):
        unpacked = log.path.unpacked
        archive = log_state(LogFile(unpacked.archive, LogKind.ARCHIVE))
        return archive and member_state(archive, path_text(log.path), unpacked.logs_found)
    try:
        for path in _files(log):
            found = path.stat()
            if found.st_mtime_ns > now - _SETTLED_NANOSECONDS:
                return ""
            # a change of who may read it changes the second time alone
            times = (found.st_mtime_ns, found.st_ctime_ns)
            line = (path_text(path.relative_to(log.path.parent)), found.st_size, *times)
            digest.update(repr(line).encode())
        if log.path.is_file():
            digest.update(_ends(log.path))
    except OSError:
        return ""
    return digest.hexdigest()


def log_content(log: LogFile, sha256: str = "") -> str:
    """SHA-256 by which machines know that they have the same log, wherever it was copied.

    It is of the names and sizes of its files, and of what is in the log itself; of a run without
    a transaction log of what is in all of its files but media, whose names end with a hash of it.

    Args:
        log: not in an archive.
        sha256: of what is in the log itself, where that is known.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in _files(log):
        name = path_text(path.relative_to(log.path.parent))
        digest.update(repr((name, path.stat().st_size)).encode())
        is_decisive = path == log.path or (log.kind is LogKind.RUN_FOLDER and "media" not in name)
        if is_decisive and path.is_file():  # opening a pipe would wait for ever
            known = sha256 if path == log.path else ""
            digest.update((known or _sha256(path)).encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def member_state(archive: str, path: str, logs: int) -> str:
    """The state of a log in an archive of this state and number of logs, which it ends with."""
    return f"{hashlib.sha256(f'{archive} {path}'.encode()).hexdigest()} of {logs}"


def log_bytes(log: LogFile) -> int | None:
    """The size of a log's files together; None where one cannot be read."""
    try:
        return sum(path.stat().st_size for path in _files(log))
    except OSError:
        return None


def begins_with(path: Path, size: int, sha256: str) -> bool:
    """Whether a file grew: its first `size` bytes have this SHA-256, and more follow."""
    digest, left = hashlib.sha256(), size
    try:
        if path.stat().st_size <= size:
            return False
        with path.open("rb") as stream:
            while left and (chunk := stream.read(min(left, _CHUNK))):
                digest.update(chunk)
                left -= len(chunk)
    except OSError:
        return False
    return not left and digest.hexdigest() == sha256


def goes_on_at(path: Path, byte: int) -> bool:
    """Whether a log is of JSON lines in plain UTF-8, and a line begins at this byte."""
    try:
        if not is_plain_text(path) or not is_of_lines(path):
            return False
        with path.open("rb") as stream:
            stream.seek(max(0, byte - 1))
            return byte == 0 or stream.read(1) == b"\n"
    except OSError:
        return False


def _files(log: LogFile) -> Iterator[Path]:
    """The log's file, or all files of its run, in order of name."""
    if log.kind not in (LogKind.WANDB, LogKind.RUN_FOLDER):
        yield log.path
        return
    folder = log.path.parent if log.kind is LogKind.WANDB else log.path
    seen = set()
    # media may be a link to another disk
    for parent, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        if (place := os.path.realpath(parent)) in seen:
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _raise(error: OSError) -> None:
    raise error


def _ends(path: Path) -> bytes:
    with path.open("rb") as stream:
        start = stream.read(_ENDS)
        stream.seek(max(0, path.stat().st_size - _ENDS))
        return start + stream.read(_ENDS)
