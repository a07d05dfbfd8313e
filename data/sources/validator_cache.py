"""Read a validator's image cache: files `<parquet stem>__image_<row>.<format>`, each and a `.json`.

A file is the image that the validator opened and augmented, so it is not encoded again here. Its
`.json` repeats the row's columns. Names are looked up in a listing of the folder: a path of a log
is compared, never opened.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data.digests import file_digest
from data.errors import FieldError, SourceError
from data.records import values
from data.sources.folder_listing import IMAGE_SUFFIXES
from data.sources.not_parquet import POINTER_REMEDY, pointer
from data.sources.remote_file import RemoteFile
from data.sources.source_path import SourcePath

_NAME_INFIX = "__image_"

# A photograph has a few MB; a larger file only has such a name and is not read.
_MAX_IMAGE_BYTES = 256 * 2**20
_MAX_JSON_BYTES = 2**20


class CachedImages:
    """The cached images among some files, by shard and row; a row may have several."""

    def __init__(self, files: Iterable[SourcePath] = ()) -> None:
        self._paths: dict[str, list[SourcePath]] = {}
        for path in files:
            if path.suffix in IMAGE_SUFFIXES and _NAME_INFIX in path.stem:
                self._paths.setdefault(path.stem, []).append(path)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, source: tuple[str, int]) -> bool:
        """True if the image of (shard's file name, row) is here."""
        return _stem(*source) in self._paths

    @property
    def duplicates(self) -> list[SourcePath]:
        """All but the first file of each row; used where their `.json` matches a record better."""
        return [path for paths in self._paths.values() for path in paths[1:]]

    def paths(self, parquet: str, row: int) -> list[SourcePath]:
        """The files of a row's image, in order; empty where there is none."""
        return self._paths.get(_stem(parquet, row), [])

    def fingerprint(self, sources: Iterable[tuple[str, int]]) -> str:
        """Hash of the names and contents of these cached images, whatever their order.

        Raises:
            KeyError: one of them is not here.
            SourceAccessError: a server does not answer, or refuses.
        """
        digest = hashlib.sha256()
        for stem in sorted({_stem(*source) for source in sources}):
            for path in self._paths[stem]:
                for file in (path, path.with_suffix(".json")):
                    digest.update(f"{file.name} {_digest(file)}\n".encode())
        return digest.hexdigest()


def read_cached(path: SourcePath) -> tuple[bytes, Mapping[str, Any]]:
    """A cached image's bytes, and the row's columns (`id`, `gps`) by its `.json`.

    Raises:
        SourceError: it cannot be read.
        SourceAccessError: a server does not answer, or refuses.
    """
    return _read(path), _columns(path.with_suffix(".json"))


def _stem(parquet: str, row: int) -> str:
    return f"{parquet.removesuffix('.parquet')}{_NAME_INFIX}{row}"


def _digest(path: SourcePath) -> str:
    """As `file_digest`, also of a server's file."""
    if isinstance(path, Path):
        return file_digest(path)
    try:
        with RemoteFile(path) as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except SourceError:
        return ""


def _content(path: SourcePath, most: int) -> tuple[int | None, bytes | None]:
    """A file's size, None of no regular file; and its bytes where they are not too many."""
    if isinstance(path, Path):
        # is_file: opening a pipe would wait for ever
        size = path.stat().st_size if path.is_file() else None
        return size, path.read_bytes() if size is not None and size <= most else None
    with RemoteFile(path) as stream:
        return stream.size, stream.read() if stream.size <= most else None


def _read(path: SourcePath) -> bytes:
    try:
        size, content = _content(path, _MAX_IMAGE_BYTES)
    except OSError as error:
        raise SourceError(
            f"cached image {path.name}", found=error.strerror, expected="a readable file"
        ) from None
    if content is not None and (stands_for := pointer(content[:1024])) is not None:
        raise SourceError(f"cached image {path.name}", found=stands_for, remedy=POINTER_REMEDY)
    if content is not None:
        return content
    raise SourceError(
        f"cached image {path.name}",
        found="no regular file" if size is None else f"{size} bytes",
        expected=f"an image file of at most {_MAX_IMAGE_BYTES} bytes",
    )


def _columns(path: SourcePath) -> dict[str, Any]:
    """The columns by which a record is matched; empty where the `.json` is missing or damaged."""
    try:
        _, content = _content(path, _MAX_JSON_BYTES)
        written = None if content is None else json.loads(content)
    except (OSError, SourceError, ValueError, RecursionError):
        return {}
    if not isinstance(written, Mapping):
        return {}
    try:
        # numbers that JSON could not hold were written as text
        columns = {"id": values.integer(written.get("id"))}
    except FieldError:
        columns = {}
    return columns | {"gps": written.get("gps")}
