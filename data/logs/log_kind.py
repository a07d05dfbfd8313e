"""Recognise what kind of log a file is: by its content, or by its name where that is unclear."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from data.archives.unpack import is_tar, is_zip
from data.errors import LogError
from data.logs.decompression import Compression, compression_of, open_decompressed, open_log
from data.logs.table_logs import PARQUET_MAGIC, begins_as_history, is_image_shard
from data.logs.wandb_transactions import MAGIC as WANDB_MAGIC

EXPECTED = (
    "JSON, JSON lines or CSV (also .gz, .zst, .bz2), Parquet, W&B media HTML, a W&B run folder, or "
    "a .zip or .tar of them"
)

_START = 4096
_JSON_NAME = re.compile(r"(?:^|\.)(?:json|jsonl|ndjson)(?:[.~_-]|$)")
_HTML_NAMES = (".html", ".htm")
_TABLE_NAMES = (".csv", ".tsv")
_COMPRESSED_NAMES = (
    ".gz",
    ".tgz",
    ".zst",
    ".bz2",
    ".xz",
    ".lzma",
    ".br",
    ".lz4",
    ".lzo",
    ".sz",
    ".z",
)
_ARCHIVE_NAMES = (".zip", ".tar", ".7z", ".rar")
# After white space, commas and marks of NUL bytes: an object, in an array or not.
_JSON_START = re.compile(rb"(?:[\s,]|\0\d*)*(?:\[\s*)?\{\s*(?:\"|\})")
_HTML_START = re.compile(rb"\s*<")
_TABLE_START = re.compile(rb"[^\n]*(?:\b_step\b|^\"?Step\b|miner_[a-z0-9_]+/uid_)")
_UNPACK = "unpack it first"
_EXPORT = "export its records as JSON lines"
_TABLE = "save it as Parquet or CSV"
_IMAGES = "source images go where --sources says"
# Forms that are recognised but not read: their first bytes, what they are, what to do.
_UNREAD: tuple[tuple[bytes, str, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (b"\xfd7zXZ\x00", "xz data", _UNPACK),
    (b"\x04\x22\x4d\x18", "lz4 data", _UNPACK),
    (b"\x1f\x9d", "compress (.Z) data", _UNPACK),
    (b"\xff\x06\x00\x00sNaPpY", "snappy data", _UNPACK),
    (b"ARROW1", "an Arrow table", _TABLE),
    (b"ORC", "an ORC table", _TABLE),
    (b"Obj\x01", "Avro data", _EXPORT),
    (b"SQLite format 3\x00", "a SQLite database", _EXPORT),
    (b"\x89HDF\r\n", "HDF5 data", _EXPORT),
    (b"\x80\x04\x95", "a pickle, which could run code", _EXPORT),
    (b"\x80\x05\x95", "a pickle, which could run code", _EXPORT),
)


class LogKind(StrEnum):
    """The kinds of log that are read, and `UNREAD` for a file that only becomes a reject.

    An `ARCHIVE` holds logs; `find_logs` gives its members in its place.
    """

    JSON = "json"
    HTML = "html"
    TABLE = "table"
    WANDB = "wandb"
    RUN_FOLDER = "run folder"
    ARCHIVE = "archive"
    UNREAD = "unread"


@dataclass(frozen=True)
class LogFile:
    """One log: its path, its kind, and for an `UNREAD` one the reason in one line.

    The path of a W&B run is that of its transaction log, `run-<id>.wandb`, or of its folder where
    it was downloaded without one.
    """

    path: Path
    kind: LogKind
    reason: str = ""


def unread(
    path: Path, found: object, expected: str = EXPECTED, remedy: str | None = None
) -> LogFile:
    """The `LogFile` of a file or folder that cannot be read, with the reason."""
    error = LogError("log", found=found, expected=expected, remedy=remedy)
    return LogFile(path, LogKind.UNREAD, str(error))


def log_in_folder(path: Path) -> LogFile | None:
    """A file of a folder as a log; None where neither content nor name makes it one."""
    return _log(path, otherwise=None)


def named_log(path: Path) -> LogFile:
    """A file that a person names, as a log: JSON where it is of no other kind."""
    return _log(path, otherwise=LogKind.JSON) or LogFile(path, LogKind.JSON)


def _log(path: Path, otherwise: LogKind | None) -> LogFile | None:
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        return unread(path, error.strerror, "a file that may be read")
    if start.startswith(WANDB_MAGIC) or path.suffix == ".wandb":
        return LogFile(path, LogKind.WANDB)
    if start.startswith(PARQUET_MAGIC):
        return _parquet(path, otherwise)
    if is_zip(start) or is_tar(start):
        return LogFile(path, LogKind.ARCHIVE)
    if form := _unread_form(start):
        return unread(path, form[0], remedy=form[1])
    return _decompressed_log(path, compression_of(start), otherwise)


def _parquet(path: Path, otherwise: LogKind | None) -> LogFile | None:
    """A Parquet file as a log; source images are one only where a person names them, unread."""
    if not is_image_shard(path):
        return LogFile(path, LogKind.TABLE)
    return unread(path, "a Parquet table of images", remedy=_IMAGES) if otherwise else None


def _unread_form(start: bytes) -> tuple[str, str] | None:
    """What a file is, by its first bytes, and the remedy; None unless its form is not read."""
    forms = ((form, remedy) for magic, form, remedy in _UNREAD if start.startswith(magic))
    return next(forms, None)


def _decompressed_log(
    path: Path, compression: Compression | None, otherwise: LogKind | None
) -> LogFile | None:
    """A file as a log, by its text once it is decompressed and decoded."""
    try:
        inside = _start_of(open_decompressed(path)) if compression else b""
        text = _start_of(open_log(path))
    except OSError:
        return LogFile(
            path, LogKind.JSON
        )  # damaged: reading keeps what it can and reports the rest
    if is_tar(inside):
        return LogFile(path, LogKind.ARCHIVE)
    if compression and (form := _unread_form_inside(inside)):
        return unread(path, f"{form} in {compression.value} data", remedy=_UNPACK)
    name = path.name.lower()
    kind = _text_kind(text, name, otherwise)
    if compression and kind is None:
        return unread(path, f"{compression.value} data without JSON")
    if (
        not compression
        and name.endswith(_COMPRESSED_NAMES + _ARCHIVE_NAMES)
        and not _JSON_START.match(text)
    ):
        return unread(path, "packed data of an unknown form", remedy=_UNPACK)
    return LogFile(path, kind) if kind else None


def _start_of(stream: IO[bytes]) -> bytes:
    with stream:
        return stream.read(_START)


def _unread_form_inside(start: bytes) -> str | None:
    """What decompressed data is, by its first bytes, if its form is not read."""
    if start.startswith(WANDB_MAGIC):
        return "a W&B transaction log"
    if compression_of(start) or is_zip(start):
        return "packed data"
    if start.startswith(PARQUET_MAGIC):
        return "a Parquet table"
    form = _unread_form(start)
    return form[0] if form else None


def _text_kind(text: bytes, name: str, otherwise: LogKind | None) -> LogKind | None:
    if _JSON_START.match(text):
        return LogKind.TABLE if begins_as_history(text) else LogKind.JSON
    inner = name.removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2")
    if inner.endswith(_TABLE_NAMES):
        return LogKind.TABLE
    is_markup = bool(_HTML_START.match(text))
    if inner.endswith(_HTML_NAMES) or (is_markup and (otherwise or b"<pre" in text.lower())):
        return LogKind.HTML
    if _JSON_NAME.search(name):
        return LogKind.JSON
    return LogKind.TABLE if _TABLE_START.match(text) else otherwise
