"""A store's place on a server: its URL, the file system that reaches it, and errors in one line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from data.atomic_files import write_error
from data.errors import SourceError, StoreError, StreetReplayError
from data.sources.remote_file import error_words
from data.sources.source_path import source_folder

CHUNK_BYTES = 8 * 2**20
"""What one request of a large file carries; a file of less than two of them is held in memory."""

_S3 = ("s3", "s3a")
# A file that is sent is there whole or not at all. In place of it sftp, ftp, smb and webdav write
# what is there, so that a kill would leave half a warehouse. One of this process's memory is none.
_WHOLE_OR_NOT = (*_S3, "gs", "gcs", "az", "abfs", "abfss", "memory")
# s3fs would hold ten chunks of 50 MB
_S3_OPTIONS: dict[str, Any] = {"default_block_size": CHUNK_BYTES, "max_concurrency": 4}
# a server's errors have other numbers
_OF_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# or these too, but then name no file of this machine
_REFUSED = (errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class StorePlace:
    """A folder of a server.

    Attributes:
        url: as a person writes it, without a slash at its end.
        files: fsspec's file system.
        path: of the folder, as that file system has it.
    """

    url: str
    files: Any
    path: str

    @property
    def is_s3(self) -> bool:
        """Whether requests take S3's conditions."""
        return isinstance(self.files.protocol, tuple) and "s3" in self.files.protocol

    def of(self, name: str) -> str:
        """The path of what lies at a name in the folder."""
        return f"{self.path}/{name}"


def store_place(url: str) -> StorePlace:
    """The place that a URL names; nothing is asked of the server.

    Raises:
        StoreError: the protocol may leave half a file, nothing here reads its URLs, or the URL
            holds a password.
    """
    protocol = url.partition(":")[0].lower()
    if protocol not in _WHOLE_OR_NOT:
        raise StoreError(
            f"store {protocol}://",  # what follows may hold a password
            found=f"protocol {protocol}",
            expected="a folder, or a URL of s3://, gs:// or az://, where a file is sent whole or "
            "not at all",
        )
    try:
        source_folder(url)
    except SourceError as error:
        raise StoreError(str(error).replace("sources ", "store ", 1)) from None
    options = _S3_OPTIONS if protocol in _S3 else {}
    with place_errors(url, None, "look at the settings of its protocol's package"):
        files, path = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
    return StorePlace(url.rstrip("/"), files, path.rstrip("/"))


@contextmanager
def place_errors(url: str, root: Path | None, remedy: str) -> Iterator[None]:
    """A context for all use of a server, in which whatever goes wrong is one line.

    Args:
        url: of the store.
        root: where files are written on this machine, if any are.
        remedy: what a person can do.

    Raises:
        StoreError: the server does not answer, refuses, or has no such bucket.
        WriteError: a disk of this machine is full, or a file beside `root` or in it may not be
            written.
    """
    try:
        yield
    except (StreetReplayError, MemoryError):
        raise
    except FileNotFoundError as error:
        expected = "a bucket of that name; the folder in it may be new"
        raise _store_error(url, error, expected, remedy) from None
    except Exception as error:  # noqa: BLE001  (each package has a tree of errors of its own)
        if root is not None and (file := _not_written(root, error)) is not None:
            raise write_error(file, error) from None
        expected = "a server that answers, and permission to list, read and write"
        raise _store_error(url, error, expected, remedy) from None


def _not_written(root: Path, error: Exception) -> Path | None:
    """What could not be written on this machine; None where it is the server that fails."""
    if not isinstance(error, OSError):
        return None
    if error.errno in _OF_THIS_DISK:
        return root
    if error.errno in _REFUSED and isinstance(error.filename, str):
        file = Path(error.filename)
        return file if file.is_relative_to(root.parent) else None
    return None


def _store_error(url: str, error: Exception, expected: str, remedy: str) -> StoreError:
    return StoreError(f"store {url}", found=error_words(error), expected=expected, remedy=remedy)
