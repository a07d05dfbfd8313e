"""What a server holds of a store.

Files lie there as in a store's folder, but for the warehouse: its versions are
`warehouse/00000042.duckdb`, the one of the highest number counts. A version is created, never
replaced, so that of two machines that publish at once one is refused. A plain `warehouse.duckdb`,
of a folder that somebody copied there, is version 0.
"""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from data.remote_store.kept_files import FOLDERS, READ_THERE, WAREHOUSE, is_kept
from data.remote_store.place import StorePlace

_VERSIONS = "warehouse"
_VERSION = re.compile(r"(\d{8})\.duckdb")
# what says most of a content goes first
_TOKENS = ("ETag", "etag", "md5Hash", "content_md5", "generation")
# of whole seconds on some servers: the size tells most of what is written within one
_TIMES = ("LastModified", "last_modified", "mtime", "created")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a server: its path there, a text that changes with its content, its bytes."""

    path: str
    token: str
    size: int


@dataclass(frozen=True)
class Listing:
    """What a server holds.

    Attributes:
        versions: of the warehouse by number, as paths there.
        files: by path in the store, the newest warehouse among them.
        read_there: which of the folders of source images are there.
    """

    versions: dict[int, str]
    files: dict[str, RemoteFile]
    read_there: tuple[str, ...]

    @property
    def newest(self) -> int:
        """The number of the newest warehouse; 0 where there is none."""
        return max(self.versions, default=0)

    def token(self, name: str) -> str | None:
        """That of a file; None where it is not there."""
        return self.files[name].token if name in self.files else None


def list_place(place: StorePlace) -> Listing:
    """List it: the warehouse first, so that all that it names is listed after it.

    Raises:
        Exception: whatever the protocol's package raises, see `place_errors`.
    """
    versions, files = list_warehouse(place)
    with ThreadPoolExecutor(len(FOLDERS) + len(READ_THERE)) as pool:
        listed = pool.map(lambda folder: _files_below(place, folder), FOLDERS)
        there = pool.map(lambda folder: place.files.exists(place.of(folder)), READ_THERE)
        for below in listed:
            files |= {name: file for name, file in below.items() if is_kept(name)}
        return Listing(versions, files, tuple(_those(READ_THERE, there)))


def list_warehouse(place: StorePlace) -> tuple[dict[int, str], dict[str, RemoteFile]]:
    """The versions of the warehouse by number, and its newest one as a file of the store.

    Raises:
        Exception: whatever the protocol's package raises.
    """
    numbers = {
        int(version[1]): file
        for name, file in _files_below(place, _VERSIONS).items()
        if (version := _VERSION.fullmatch(name.removeprefix(f"{_VERSIONS}/")))
    }
    if not numbers and place.files.exists(path := place.of(WAREHOUSE)):
        numbers = {0: _remote_file(path, place.files.info(path))}
    versions = {number: file.path for number, file in numbers.items()}
    if not numbers:
        return versions, {}
    newest = max(numbers)
    file = numbers[newest]
    return versions, {WAREHOUSE: RemoteFile(file.path, f"{newest} {file.token}", file.size)}


def version_path(place: StorePlace, number: int) -> str:
    """Where a version of the warehouse lies, or will."""
    return place.of(f"{_VERSIONS}/{number:08d}.duckdb")


def content_md5(file: RemoteFile) -> str | None:
    """The MD5 of a file's content, in hex, where its token is one, as S3's of small files."""
    etag = re.fullmatch(r"(?:\d+ )?ETag ([0-9a-f]{32})", file.token)
    return None if etag is None else etag[1]


def etag(file: RemoteFile) -> str | None:
    """The ETag of a file, where the server gives one."""
    _, key, value = file.token.partition("ETag ")
    return value if key else None


def _files_below(place: StorePlace, folder: str) -> dict[str, RemoteFile]:
    listed = place.files.find(place.of(folder), detail=True)
    top = place.path + "/"
    return {
        path.removeprefix(top): _remote_file(path, described)
        for path, described in listed.items()
        if path.startswith(top) and described.get("type") != "directory"
    }


def _remote_file(path: str, described: Mapping[str, Any]) -> RemoteFile:
    size = int(described["size"] or 0)
    key = next((key for key in (*_TOKENS, *_TIMES) if described.get(key)), "")
    value = str(described.get(key, "")).strip('"')
    return RemoteFile(path, f"{key} {value}" if key in _TOKENS else f"{key} {value} {size}", size)


def _those(names: tuple[str, ...], chosen: Any) -> list[str]:
    return [name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen]
