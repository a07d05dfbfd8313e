"""Lines of a log, and the stretches of a file of plain text that several processes may read."""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from typing import IO, Any

from data.columnar.blocks import Lines, sent_lines
from data.logs.decompression import (
    UTF8_MARK,
    OnBytes,
    is_plain_text,
    nul_bytes_marked,
    open_log,
)

# A real record has about 12 kB. The bound keeps a decompression bomb from taking the memory.
MAX_RECORD_BYTES = 16 * 2**20

SPAN_BYTES = 2**23
"""Of a stretch: a fraction of a second's work."""
_CHUNK_BYTES = 2**17


def lines_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of at most `MAX_RECORD_BYTES`; of a longer one the beginning."""
    while line := stream.readline(MAX_RECORD_BYTES):
        yield line
        while len(line) == MAX_RECORD_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_RECORD_BYTES)


def line_blocks(path: Path, first: int, on_bytes: OnBytes, opened: ExitStack) -> Iterator[Lines]:
    """The lines of a log for several processes, which read a plain text themselves.

    Args:
        path: of the log.
        first: the byte to begin at, where a line begins; 0 if it is no plain text.
        on_bytes: called with the bytes of other texts as they are read.
        opened: closes what is opened here.

    Raises:
        OSError: the file cannot be opened.
    """
    if is_plain_text(path):
        return line_spans(path, opened.enter_context(path.open("rb", buffering=0)), first)
    return sent_lines(lines_of(opened.enter_context(open_log(path, on_bytes))))


class LineSpan:
    """Whole lines of a file of plain text, `size` bytes from `first` on.

    In another process, or copied, it opens the file by its path.
    """

    def __init__(self, path: Path, first: int, size: int, opened: io.FileIO) -> None:
        self.path, self.first, self._size = path, first, size
        self.bytes_unreported = size
        self._opened: io.FileIO | None = opened
        self._identity: tuple[int, int] | None = _identity(opened)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_opened": None}

    def elsewhere(self) -> "LineSpan":
        """The same stretch of the file of the same path on another machine, whatever file that is.

        Only `sha256` says whether it holds the same lines.
        """
        span = copy(self)
        span._identity = None
        return span

    def lines(self) -> Iterator[bytes]:
        """The lines, NUL bytes marked.

        Raises:
            OSError: the file cannot be read, or its path is another file's by now.
        """
        with self._bytes() as stream:
            yield from lines_of(nul_bytes_marked(stream))

    def sha256(self) -> str:
        """SHA-256 of its bytes, in hexadecimal.

        Raises:
            OSError: as `lines`.
        """
        with self._bytes() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @contextmanager
    def _bytes(self) -> Iterator[io.BufferedReader]:
        if self._opened is not None:
            yield self._window(self._opened)
            return
        with self.path.open("rb", buffering=0) as opened:
            if self._identity is not None and _identity(opened) != self._identity:
                raise OSError(f"{self.path.name}: another file than before")
            yield self._window(opened)

    def _window(self, opened: io.FileIO) -> io.BufferedReader:
        return io.BufferedReader(_Window(opened, self.first, self._size), _CHUNK_BYTES)


def line_spans(path: Path, opened: io.FileIO, first: int) -> Iterator[LineSpan]:
    """All lines of a file of plain text.

    Args:
        path: of the file.
        opened: the file, open as long as spans are read.
        first: the byte to begin at, where a line begins.

    Raises:
        OSError: the file cannot be read.
    """
    if first == 0 and opened.read(len(UTF8_MARK)) == UTF8_MARK:
        first = len(UTF8_MARK)
    # what is written from now on may be a part of a line
    end = os.fstat(opened.fileno()).st_size
    while first < end:
        size = _end_of_line(opened, min(first + SPAN_BYTES, end), end) - first
        yield LineSpan(path, first, size, opened)
        first += size


def _end_of_line(opened: io.FileIO, byte: int, end: int) -> int:
    """Where the line ends that holds the byte before this one; at the latest `end`."""
    opened.seek(byte - 1)
    while byte < end and (chunk := opened.read(_CHUNK_BYTES)):
        line_feed = chunk.find(b"\n")
        byte = opened.tell() if line_feed < 0 else opened.tell() - len(chunk) + line_feed + 1
        if line_feed >= 0:
            break
    return min(byte, end)


def _identity(opened: io.FileIO) -> tuple[int, int]:
    status = os.fstat(opened.fileno())
    return status.st_dev, status.st_ino


class _Window(io.RawIOBase):
    """Some bytes of an open file, from its own place: other windows may read between."""

    def __init__(self, opened: io.FileIO, first: int, size: int) -> None:
        self._opened, self._next, self._end = opened, first, first + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._opened.seek(self._next)
        count = self._opened.readinto(memoryview(buffer)[: self._end - self._next]) or 0
        self._next += count
        return count
