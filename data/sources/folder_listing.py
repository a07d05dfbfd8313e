"""The files of a folder of sources: shards, cached images, and downloads that were cut off.

Links are followed, for the Hugging Face client's cache is made of them; each folder is entered
once, so that a loop ends. The order is that of depth, then of names: never that of a disk.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PARQUET_SUFFIX = ".parquet"
# The validator looks at no other suffixes.
IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png")

# What clients (Hugging Face's, wget, browsers) call a file that is not whole yet.
_UNFINISHED_SUFFIXES = (".incomplete", ".part", ".crdownload", ".download")
# The Hugging Face client keeps those of `--local-dir` in there.
_HF_DOWNLOADS = Path(".cache", "huggingface", "download")


@dataclass(frozen=True)
class SourceFiles:
    """What lies below a folder, nearest to its top first; hidden folders are left out.

    A link to nothing counts as the file that it names. A file that several links of one name lead
    to is there once. `unreadable` are folders that may not be looked into.
    """

    shards: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    unfinished: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def source_files(folder: Path) -> SourceFiles:
    """List a folder; an empty list where there is none."""
    found = SourceFiles()
    seen: set[tuple[str, int, int]] = set()
    for entry, status in _files(folder, found.unreadable):
        kind = _kind(entry.name, found)
        if kind is None:
            continue
        if status is not None:
            identity = (entry.name, status.st_dev, status.st_ino)
            # a pipe would be waited for without end
            if identity in seen or not stat.S_ISREG(status.st_mode):
                continue
            seen.add(identity)
        kind.append(Path(entry.path))
    found.unfinished.extend(sorted((folder / _HF_DOWNLOADS).rglob("*.incomplete")))
    return found


def listing_sha256(folder: Path) -> str:
    """Hash of names, sizes and times of all files below a folder: another one, another content."""
    digest = hashlib.sha256()
    for entry, status in _files(folder, []):
        words = [entry.path]
        if status is not None:
            words += [str(status.st_mtime_ns), str(status.st_size)]
        digest.update("\0".join(words).encode(errors="surrogateescape") + b"\n")
    return digest.hexdigest()


def _kind(name: str, found: SourceFiles) -> list[Path] | None:
    if name.endswith(PARQUET_SUFFIX):
        return found.shards
    if name.endswith(IMAGE_SUFFIXES):
        return found.images
    return found.unfinished if name.endswith(_UNFINISHED_SUFFIXES) else None


def _files(
    folder: Path, unreadable: list[Path]
) -> Iterator[tuple[os.DirEntry[str], os.stat_result | None]]:
    """All that is no folder, level by level, each in order of names; None for a link to nothing."""
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
    """Of what an entry leads to; None of a link to nothing, or to itself."""
    try:
        return entry.stat()
    except OSError:
        return None
