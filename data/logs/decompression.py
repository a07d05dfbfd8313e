"""Open a log file as UTF-8 text: decompressed and decoded, by its content rather than its name.

gzip, zstd and bzip2 are decompressed; UTF-16 and UTF-32 become UTF-8; NUL bytes in a row become a
mark that `data.json_text` reads. Nothing is decompressed beyond a bound, and the text is streamed.
"""

import bz2
import codecs
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from data.json_text.values import nul_bytes_mark
from data.progress import no_report

# Logs of challenges shrink to a fifth, logs of equal challenges to a fortieth. More is a bomb.
MAX_EXPANSION = 200
# Below this a bomb does no harm, and a small log of equal lines may shrink by more.
FREE_EXPANSION = 64 * 2**20

_CHUNK = 2**18
_NULS = re.compile(rb"\0+")
UTF8_MARK = b"\xef\xbb\xbf"
# Longer marks first: that of UTF-32 begins as that of UTF-16 does.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Without a mark: JSON and HTML begin with one of these, and then with a character below U+0100.
_FIRST = rb"[{\[<\"\s]"
_ENCODINGS_BY_START = (
    (re.compile(_FIRST + rb"\0\0\0[^\0]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0\0\0" + _FIRST + rb"\0\0\0[^\0]", re.DOTALL), "utf-32-be"),
    (re.compile(_FIRST + rb"\0[^\0]\0", re.DOTALL), "utf-16-le"),
    (re.compile(rb"\0" + _FIRST + rb"\0[^\0]", re.DOTALL), "utf-16-be"),
)
_LONGEST_MARK = 8


class Compression(StrEnum):
    """The forms of compression that are read."""

    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"


_MAGIC = {
    Compression.GZIP: b"\x1f\x8b",
    Compression.ZSTD: b"\x28\xb5\x2f\xfd",
    Compression.BZIP2: b"BZh",
}


def compression_of(start: bytes) -> Compression | None:
    """The compression of a file, by its first bytes; None if it is not compressed."""
    return next((kind for kind, magic in _MAGIC.items() if start.startswith(magic)), None)


OnBytes = Callable[[int], object]
"""Called with a number of bytes of the file that were read."""


def open_log(path: Path, on_bytes: OnBytes = no_report) -> io.BufferedReader:
    """The text of a log as UTF-8, decompressed, without a byte order mark, NUL bytes marked.

    Reading raises `OSError` where compressed data is damaged, cut off, or expands beyond the bound.

    Raises:
        OSError: the file cannot be opened, or its compressed data is damaged from the start.
    """
    unpacked = open_decompressed(path, on_bytes)
    start = unpacked.peek(_LONGEST_MARK)
    if encoding := _encoding(start):
        unpacked = io.BufferedReader(_Transcoded(unpacked, encoding))
    elif start.startswith(UTF8_MARK):
        unpacked.read(len(UTF8_MARK))
    return nul_bytes_marked(unpacked)


def log_text(path: Path, most: int) -> bytes:
    """The first bytes of what `open_log` gives, at most `most`; a small file is read in one call.

    Raises:
        OSError: the file cannot be opened, or its compressed data is damaged.
    """
    with path.open("rb", buffering=0) as file:
        raw = file.read() if os.fstat(file.fileno()).st_size <= most else b""
    start = raw[:_LONGEST_MARK]
    is_marked = start.startswith(UTF8_MARK) or _encoding(start) is not None
    if raw and not is_marked and compression_of(start) is None and b"\0" not in raw:
        return raw[:most]
    with open_log(path) as stream:
        return stream.read(most)


def open_plain_text(path: Path, first: int, on_bytes: OnBytes = no_report) -> io.BufferedReader:
    """The same of a file of plain text, from a byte on.

    Raises:
        OSError: the file cannot be opened.
    """
    file = _Watched(path, on_bytes)
    file.seek(first)
    return nul_bytes_marked(io.BufferedReader(file, _CHUNK))


def nul_bytes_marked(file: io.BufferedReader) -> io.BufferedReader:
    """A text in UTF-8, NUL bytes in a row, however many, replaced by one mark."""
    return io.BufferedReader(_NulBytesMarked(file), _CHUNK)


def is_plain_text(path: Path) -> bool:
    """True for a file that is neither compressed nor in another encoding than UTF-8.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(_LONGEST_MARK)
    return compression_of(start) is None and _encoding(start) is None


def _encoding(start: bytes) -> str | None:
    """The encoding of a text, by its first bytes; None for UTF-8."""
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark)), None)
    return marked or next((name for form, name in _ENCODINGS_BY_START if form.match(start)), None)


def open_decompressed(path: Path, on_bytes: OnBytes = no_report) -> io.BufferedReader:
    """The bytes of a file, decompressed if it is gzip, zstd or bzip2.

    Raises:
        OSError: the file cannot be opened.
    """
    file: Any = io.BufferedReader(_Watched(path, on_bytes), _CHUNK)
    compression = compression_of(file.peek(_LONGEST_MARK))
    return io.BufferedReader(_Decompressed(file, compression)) if compression else file


class _Watched(io.FileIO):
    """A file that tells how much of it is read."""

    def __init__(self, path: Path, on_bytes: OnBytes) -> None:
        super().__init__(path, "r")
        self._on_bytes = on_bytes

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        self._on_bytes(count or 0)
        return count


class _TransformedStream(io.RawIOBase):
    """A stream that transforms another, chunk by chunk, by `_transform`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            chunk = self._inner.read1(_CHUNK)
            self._ended = not chunk
            self._ready = memoryview(self._transform(chunk))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._inner.close()
        super().close()

    def _transform(self, chunk: bytes) -> bytes:
        """What the next chunk becomes; an empty chunk is the end."""
        raise NotImplementedError


class _Decompressed(_TransformedStream):
    """The decompressed bytes of a file, up to a bound on how far it expands."""

    def __init__(self, file: IO[bytes], compression: Compression) -> None:
        super().__init__(_decompressor(file, compression))
        self._file, self._name = file, compression.value
        self._left = max(FREE_EXPANSION, MAX_EXPANSION * os.fstat(file.fileno()).st_size)

    def readinto(self, buffer: Any) -> int:
        try:
            count = super().readinto(buffer)
        except (OSError, EOFError, zlib.error) as error:
            raise OSError(f"{error} in {self._name} data") from None
        self._left -= count
        if self._left < 0:
            raise OSError(f"more than {MAX_EXPANSION} times the size of its {self._name} data")
        return count

    def close(self) -> None:
        super().close()
        self._file.close()

    def _transform(self, chunk: bytes) -> bytes:
        return chunk


def _decompressor(file: IO[bytes], compression: Compression) -> Any:
    if compression is Compression.GZIP:
        return gzip.GzipFile(fileobj=file)
    if compression is Compression.BZIP2:
        return bz2.BZ2File(file)
    # pyarrow is slow to import: only zstd logs need it.
    import pyarrow as pa  # noqa: PLC0415

    return pa.CompressedInputStream(file, "zstd")


class _Transcoded(_TransformedStream):
    """Text of another encoding as UTF-8; undecodable bytes become U+FFFD."""

    def __init__(self, inner: IO[bytes], encoding: str) -> None:
        super().__init__(inner)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def _transform(self, chunk: bytes) -> bytes:
        return self._decoder.decode(chunk, final=not chunk).encode()


class _NulBytesMarked(_TransformedStream):
    """A stream in which NUL bytes in a row, however many, are replaced by one mark."""

    def __init__(self, inner: IO[bytes]) -> None:
        super().__init__(inner)
        self._nul_count = 0

    def _transform(self, chunk: bytes) -> bytes:
        if chunk and not self._nul_count and b"\0" not in chunk:
            return chunk
        behind = chunk.lstrip(b"\0")
        self._nul_count += len(chunk) - len(behind)
        if chunk and not behind:
            return b""
        mark = nul_bytes_mark(self._nul_count) if self._nul_count else b""
        text = behind.rstrip(b"\0")
        self._nul_count = len(behind) - len(text)
        return mark + _NULS.sub(lambda match: nul_bytes_mark(len(match[0])), text)
