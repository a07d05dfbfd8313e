"""Unpack an archive of logs into members that can be read as files."""

from collections.abc import Callable
from pathlib import Path
from typing import IO

from data.archives.members import ArchiveSettings, Unpacked
from data.archives.tar_members import unpack_tar
from data.archives.zip_members import unpack_zip
from data.errors import WriteError

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
TAR_MAGIC, TAR_MAGIC_OFFSET = b"ustar", 257


def is_tar(start: bytes) -> bool:
    """True for the first bytes of a tar archive."""
    return start[TAR_MAGIC_OFFSET:].startswith(TAR_MAGIC)


def is_zip(start: bytes) -> bool:
    """True for the first bytes of a zip archive."""
    return start.startswith(ZIP_MAGICS)


def unpack(
    path: Path,
    opened: Callable[[Path], IO[bytes]],
    settings: ArchiveSettings = ArchiveSettings(),
    scratch: Path | None = None,
) -> Unpacked:
    """Unpack a zip or tar archive into scratch files; nothing is written under a name of it.

    Args:
        path: of the archive.
        opened: opens a tar archive, decompressed.
        settings: bounds.
        scratch: a folder for scratch folders alone; None: the system's temporary folder.

    Raises:
        OSError: the archive cannot be opened.
        WriteError: there is no room for scratch files; what was unpacked is removed.
    """
    unpacked = Unpacked(path, settings, scratch)
    with path.open("rb") as file:
        start = file.read(max(map(len, ZIP_MAGICS)))
    try:
        if is_zip(start):
            unpack_zip(path, unpacked)
        else:
            with opened(path) as stream:
                unpack_tar(stream, unpacked)
    except WriteError:
        unpacked.close()
        raise
    return unpacked
