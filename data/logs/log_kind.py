"""What form of log a file is: told by its content, and by its name where content does not say."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from data.errors import LogError
from data.logs.decompression import Compression, compression_of, open_decompressed, open_log
from data.logs.wandb_transactions import MAGIC as WANDB_MAGIC
from data.records.not_media_record import HISTORY_REMEDY

EXPECTED = "JSON or JSON lines (also .gz, .zst, .bz2), W&B media HTML or a W&B run folder"

_START = 4096
_JSON_NAME = re.compile(r"(?:^|\.)(?:json|jsonl|ndjson)(?:[.~_-]|$)")
_HTML_NAMES = (".html", ".htm")
_TABLE_NAMES = (".csv", ".tsv")
_COMPRESSED_NAMES = (
    *(".gz", ".tgz", ".zst", ".bz2", ".xz", ".lzma", ".br", ".lz4", ".lzo", ".sz", ".z"),
    *(".zip", ".tar", ".7z", ".rar"),
)
# After white space, commas and marks of holes: an object, in an array or not.
_JSON_START = re.compile(rb"(?:[\s,]|\0\d*)*(?:\[\s*)?\{\s*(?:\"|\})")
_HTML_START = re.compile(rb"\s*<")
_TABLE_START = re.compile(rb"[^\n]*(?:\b_step\b|^\"?Step\b|miner_[a-z0-9_]+/uid_)")
_TAR_MAGIC_OFFSET, _TAR_MAGIC = 257, b"ustar"
_UNPACK = "unpack it first"
_EXPORT = "export its records as JSON lines"
_TABLE = f"{HISTORY_REMEDY}; source images go where --sources says"
# Forms that are known and not read: how they start, what they are, what to do.
_UNREAD: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (b"\xfd7zXZ\x00", "xz data", _UNPACK),
    (b"\x04\x22\x4d\x18", "lz4 data", _UNPACK),
    (b"\x1f\x9d", "compress (.Z) data", _UNPACK),
    (b"\xff\x06\x00\x00sNaPpY", "snappy data", _UNPACK),
    (b"PAR1", "a Parquet table", _TABLE),
    (b"ARROW1", "an Arrow table", _TABLE),
    (b"ORC", "an ORC table", _TABLE),
    (b"Obj\x01", "Avro data", _EXPORT),
    (b"SQLite format 3\x00", "a SQLite database", _EXPORT),
    (b"\x89HDF\r\n", "HDF5 data", _EXPORT),
    (b"\x80\x04\x95", "a pickle, which could run code", _EXPORT),
    (b"\x80\x05\x95", "a pickle, which could run code", _EXPORT),
)


class LogKind(StrEnum):
    """The forms of a log: those that are read, and `UNREAD`, which a reject names."""

    JSON = "json"
    HTML = "html"
    WANDB = "wandb"
    RUN_FOLDER = "run folder"
    UNREAD = "unread"


@dataclass(frozen=True)
class LogFile:
    """One log. A W&B run is named by its transaction log, `run-<id>.wandb`, or where it was
    downloaded without one by its folder.

    `reason` is why an `UNREAD` one is not read, in one line.
    """

    path: Path
    kind: LogKind
    reason: str = ""


def unread(
    path: Path, found: object, expected: str = EXPECTED, remedy: str | None = None
) -> LogFile:
    """A file or folder that cannot be read, with the reason."""
    error = LogError("log", found=found, expected=expected, remedy=remedy)
    return LogFile(path, LogKind.UNREAD, str(error))


def log_in_folder(path: Path) -> LogFile | None:
    """The log that a file of a folder is; None for a file that is no log by content or name."""
    return _log(path, otherwise=None)


def named_log(path: Path) -> LogFile:
    """The log that a person names: what is of no other form is read as JSON."""
    return _log(path, otherwise=LogKind.JSON) or LogFile(path, LogKind.JSON)


def _log(path: Path, otherwise: LogKind | None) -> LogFile | None:
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        return unread(path, error.strerror, "a file that may be read")
    if start.startswith(WANDB_MAGIC) or path.suffix == ".wandb":
        return LogFile(path, LogKind.WANDB)
    if form := _unread_form(start):
        return unread(path, form[0], remedy=form[1])
    return _decompressed_log(path, compression_of(start), otherwise)


def _unread_form(start: bytes) -> tuple[str, str] | None:
    """What a file that starts so is and what to do with it, if it is of a form that is not read."""
    if start[_TAR_MAGIC_OFFSET:].startswith(_TAR_MAGIC):
        return "a tar archive", _UNPACK
    forms = ((found, remedy) for magic, found, remedy in _UNREAD if start.startswith(magic))
    return next(forms, None)


def _decompressed_log(
    path: Path, compression: Compression | None, otherwise: LogKind | None
) -> LogFile | None:
    """The log by what is in the file once it is unpacked and decoded."""
    try:
        inside = _start_of(open_decompressed(path)) if compression else b""
        text = _start_of(open_log(path))
    except OSError:
        return LogFile(path, LogKind.JSON)  # damaged: reading keeps what is whole and says so
    if compression and (form := _unread_form_inside(inside)):
        return unread(path, f"{form} in {compression.value[0]} data", remedy=_UNPACK)
    name = path.name.lower()
    kind = _text_kind(text, name, otherwise)
    if kind is LogKind.UNREAD:
        return unread(path, "a CSV table", remedy=_TABLE)
    if compression and kind is None:
        return unread(path, f"{compression.value[0]} data without JSON")
    if not compression and name.endswith(_COMPRESSED_NAMES) and not _JSON_START.match(text):
        return unread(path, "packed data of an unknown form", remedy=_UNPACK)
    return LogFile(path, kind) if kind else None


def _start_of(stream: IO[bytes]) -> bytes:
    with stream:
        return stream.read(_START)


def _unread_form_inside(start: bytes) -> str | None:
    """What packed data that starts so holds, if it is of a form that is not read."""
    if start.startswith(WANDB_MAGIC):
        return "a W&B transaction log"
    if compression_of(start):
        return "packed data"
    form = _unread_form(start)
    return form[0] if form else None


def _text_kind(text: bytes, name: str, otherwise: LogKind | None) -> LogKind | None:
    if _JSON_START.match(text):
        return LogKind.JSON
    inner = name.removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2")
    if inner.endswith(_TABLE_NAMES):
        return LogKind.UNREAD
    is_markup = bool(_HTML_START.match(text))
    if inner.endswith(_HTML_NAMES) or (is_markup and (otherwise or b"<pre" in text.lower())):
        return LogKind.HTML
    if _JSON_NAME.search(name):
        return LogKind.JSON
    return LogKind.UNREAD if _TABLE_START.match(text) else otherwise
