"""List a folder of sources: shards, cached images, and unfinished downloads.

Links are followed, as the Hugging Face client's cache consists of them; each folder is entered
once, so that a loop ends. The order is by depth, then by name, whatever the disk's order is. Files
of a server are listed by the same rules; it has no links.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upath import UPath

from data.sources.remote_file import access_errors
from data.sources.source_path import SourcePath

PARQUET_SUFFIX = ".parquet"
# The validator looks at no other suffixes.
IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png")

# Suffixes of unfinished downloads (Hugging Face's client, wget, browsers).
_UNFINISHED_SUFFIXES = (".incomplete", ".part", ".crdownload", ".download")
# Where the Hugging Face client keeps unfinished downloads of `--local-dir`.
_HF_DOWNLOADS = Path(".cache", "huggingface", "download")


@dataclass(frozen=True)
class SourceFiles:
    """The source files below a folder, those in the fewest folders first, without hidden folders.

    A broken link counts as the file that it names. A file to which several links of one name lead
    is listed once. `unreadable` are folders that may not be listed.
    """

    shards: list[SourcePath] = field(default_factory=list)
    images: list[SourcePath] = field(default_factory=list)
    unfinished: list[SourcePath] = field(default_factory=list)
    unreadable: list[SourcePath] = field(default_factory=list)


def source_files(folder: SourcePath) -> SourceFiles:
    """List a folder; an empty list where this machine has none.

    Raises:
        SourceError: the server holds no file there.
        SourceAccessError: the server does not answer, or refuses.
    """
    files = SourceFiles()
    if not isinstance(folder, Path):
        _list_remote(folder, files)
        return files
    seen: set[tuple[str, int, int]] = set()
    for entry, status in _files(folder, files.unreadable):
        kind = _kind(entry.name, files)
        if kind is None:
            continue
        if status is not None:
            identity = (entry.name, status.st_dev, status.st_ino)
            # opening a pipe would wait for ever
            if identity in seen or not stat.S_ISREG(status.st_mode):
                continue
            seen.add(identity)
        kind.append(Path(entry.path))
    files.unfinished.extend(sorted((folder / _HF_DOWNLOADS).rglob("*.incomplete")))
    return files


def listing_sha256(folder: SourcePath) -> str:
    """A hash of the names, sizes and times of all files below a folder, to notice changes.

    It is the same however the folder's own path is written. Of files of a server it is a hash of
    all that the server says of them.

    Raises:
        SourceError: as `source_files`.
        SourceAccessError: likewise.
    """
    digest = hashlib.sha256()
    if not isinstance(folder, Path):
        for parts, described in _remote_files(folder):
            digest.update(f"{parts} {sorted(described.items())}\n".encode())
        return digest.hexdigest()
    for entry, status in _files(folder, []):
        words = [os.path.relpath(entry.path, folder)]
        if status is not None:
            words += [str(status.st_mtime_ns), str(status.st_size)]
        digest.update("\0".join(words).encode(errors="surrogateescape") + b"\n")
    return digest.hexdigest()


def _list_remote(folder: UPath, files: SourceFiles) -> None:
    downloads = []
    for parts, _ in _remote_files(folder):
        path = folder.joinpath(*parts)
        if not any(name.startswith(".") for name in parts[:-1]):
            kind = _kind(parts[-1], files)
            if kind is not None:
                kind.append(path)
        elif parts[:-1][: len(_HF_DOWNLOADS.parts)] == _HF_DOWNLOADS.parts:
            downloads += [path] if path.suffix == ".incomplete" else []
    files.unfinished.extend(downloads)


def _remote_files(folder: UPath) -> list[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """All files below a folder of a server: the parts of their names, and what it says of each."""
    top = folder.path.rstrip("/") + "/"
    with access_errors(folder):
        folder.fs.invalidate_cache()
        listed = folder.fs.find(folder.path, detail=True)
        files = {
            tuple(name.removeprefix(top).split("/")): described
            for name, described in listed.items()
            if name.startswith(top) and not name.endswith("/")
        }
        if not files:
            folder.fs.info(folder.path)  # most packages list nothing where nothing can be listed
            raise FileNotFoundError("no file there")
    return sorted(files.items(), key=lambda file: (len(file[0]), file[0]))


def _kind(name: str, files: SourceFiles) -> list[SourcePath] | None:
    if name.endswith(PARQUET_SUFFIX):
        return files.shards
    if name.endswith(IMAGE_SUFFIXES):
        return files.images
    return files.unfinished if name.endswith(_UNFINISHED_SUFFIXES) else None


def _files(
    folder: Path, unreadable: list[SourcePath]
) -> Iterator[tuple[os.DirEntry[str], os.stat_result | None]]:
    """All files, level by level, each in order of names; status None for a broken link."""
    level, entered = [str(folder)], set[tuple[int, int]]()
    while level:
        below: list[str] = []
        for folder_path in level:
            try:
                reached = os.stat(folder_path)  # noqa: PTH116  (thousands of files: text is faster)
                if (reached.st_dev, reached.st_ino) in entered:
                    continue
                entered.add((reached.st_dev, reached.st_ino))
                entries = sorted(os.scandir(folder_path), key=lambda entry: entry.name)
            except FileNotFoundError:
                continue
            except OSError:
                unreadable.append(Path(folder_path))
                continue
            for entry in entries:
                status = _status(entry)
                if status is None or not stat.S_ISDIR(status.st_mode):
                    yield entry, status
                elif not entry.name.startswith("."):
                    below.append(entry.path)
        level = below


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """The status of an entry's target; None for a broken link or one to itself."""
    try:
        return entry.stat()
    except OSError:
        return None
