"""Archives of small files, and what unpacking them gives."""

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from data.archives.members import ArchiveSettings, MemberPath, Unpacked
from data.archives.unpack import unpack
from data.logs.decompression import open_decompressed

CONTENT = {f"run/{number}.txt": bytes(f"{number} " * 300, "ascii") for number in range(9)}


def unpacked(path: Path, **bounds: int) -> Unpacked:
    """The archive at `path`, unpacked within these bounds."""
    return unpack(path, open_decompressed, ArchiveSettings(**bounds))


def members(folder: MemberPath) -> dict[str, bytes]:
    """Content by name, as a walk over the paths finds it."""
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= {f"{entry.name}/{name}": held for name, held in members(entry).items()}
        else:
            assert entry.is_file()
            found[entry.name] = entry.read_bytes()
    return found


def write_zip(
    path: Path, content: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> Path:
    """A zip archive of these names and contents."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, held in content:
            archive.writestr(zipfile.ZipInfo(name), held, method)
    return path


def tarred(content: Iterable[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    """The bytes of a tar archive of these names and contents."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, held in content:
            member = tarfile.TarInfo(name)
            member.size = len(held)
            archive.addfile(member, io.BytesIO(held))
    return stream.getvalue()
