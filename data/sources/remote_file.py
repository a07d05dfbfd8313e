"""Read files of a server by range, and say in one line why one could not be read."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from upath import UPath

from data.errors import SourceAccessError, SourceError, StreetReplayError
from data.text import printable

# pyarrow reads so much at once for a footer; a second look at it costs no request then.
_TAIL_BYTES = 2**16
_MOST_WORDS = 300


class RemoteFile(io.RawIOBase):
    """A file of a server: every read is one request for exactly those bytes.

    Nothing is read ahead, as pyarrow asks for what it needs, and merges ranges that are near to
    each other. The file's end stays in memory: a footer is read several times.
    """

    def __init__(self, path: UPath) -> None:
        """Look a file up, where listing its folder has not done so; nothing of it is read.

        Raises:
            SourceError: there is no such file.
            SourceAccessError: the server does not answer, or refuses.
        """
        super().__init__()
        self._path = path
        with access_errors(path):
            self._stream = path.fs.open(path.path, "rb", cache_type="none")
            self.size: int = self._stream.seek(0, io.SEEK_END)
        self._position = 0
        self._tail = b""

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The place of the next byte to read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place, as in any file; no request is made."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, fewer only at the end of the file.

        Raises:
            SourceError: there is no such file any more.
            SourceAccessError: the server does not answer, refuses, or holds another file by now.
        """
        start = min(self._position, self.size)
        end = self.size if size is None or size < 0 else min(start + size, self.size)
        content = self._kept(start, end) if start < end else b""
        self._position += len(content)
        return content

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as a buffer takes; errors as of `read`."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close it, whatever the server says."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _kept(self, start: int, end: int) -> bytes:
        tail_start = self.size - len(self._tail)
        if start >= tail_start:
            return self._tail[start - tail_start : end - tail_start]
        content = self._requested(start, end)
        if end == self.size and len(content) <= _TAIL_BYTES:
            self._tail = content
        return content

    def _requested(self, start: int, end: int) -> bytes:
        with access_errors(self._path):
            self._stream.seek(start)
            content: bytes = self._stream.read(end - start)
        if len(content) != end - start:
            raise SourceAccessError(
                str(self._path),
                found=f"{len(content)} of {end - start} bytes from byte {start} on",
                expected="all of them",
                remedy=_REMEDY,
            )
        return content


_REMEDY = "what was done is kept: run the same again once it can be read"


@contextmanager
def access_errors(path: UPath) -> Iterator[None]:
    """A context for all use of a server, in which whatever goes wrong is one line.

    Packages of protocols raise errors of their own; each asks again a few times before.

    Raises:
        SourceError: what `path` names is not there.
        SourceAccessError: the server does not answer, or refuses.
    """
    try:
        yield
    except (StreetReplayError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise SourceError(
            str(path),
            found=error_words(error),
            expected="a bucket, folder or file of that name",
        ) from None
    except Exception as error:  # noqa: BLE001  (each package has a tree of errors of its own)
        raise SourceAccessError(
            str(path),
            found=error_words(error),
            expected="a server that answers, and permission to list and to read",
            remedy=_REMEDY,
        ) from None


def error_words(error: Exception) -> str:
    """What an error of a package says, in one line that can be printed."""
    return printable(" ".join(str(error).split()) or type(error).__name__, _MOST_WORDS)
