"""Unpack a zip archive; one that was cut off, and so lost its list of members, from its start."""

import mmap
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from data.archives.members import BoundError, Unpacked

_CHUNK = 2**20
_READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_ENCRYPTED, _SIZES_BEHIND = 0x1, 0x8
_SIGNATURE = b"PK\x03\x04"
# signature, version, flags, method, time and date, crc, sizes, lengths of the name and of the rest
_LOCAL = struct.Struct("<4sHHHIIIIHH")
# of the list's end: signature, disks, counts of members, size and offset, length of a comment
_END = struct.Struct("<4sHHHHIIH")
_END_SIGNATURE, _LISTED = b"PK\x05\x06", b"PK\x01\x02"
_MOST_COMMENT = 2**16
# a second end for more than 65,535 members or 4 GB stands so many bytes before the first
_END_64_SIGNATURE, _END_64_BEFORE = b"PK\x06\x06", 76
_SIZE_64, _SIZE_64_AT = struct.Struct("<Q"), 40
_MOST_LIST_BYTES = 2**28
_UTF8 = 0x800
_UNKNOWN_SIZE = 0xFFFFFFFF
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


def unpack_zip(path: Path, unpacked: Unpacked) -> None:
    """Unpack every regular file; links are left out, and what is lost is reported."""
    try:
        with _mapped(path) as data:
            if not _unpack_listed(path, data, unpacked):
                _unpack_in_order(data, unpacked)
    except BoundError as error:
        unpacked.report(f"{error}: what follows is lost")


def _unpack_listed(path: Path, data: mmap.mmap, unpacked: Unpacked) -> bool:
    """Unpack the members in the list at the end; False where there is none that can be read."""
    if _is_long(data, unpacked.settings.members):
        unpacked.report("a list of too many members: they are read in order")
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                _unpack_member(archive, data, member, unpacked)
    except BoundError:
        raise
    except _DAMAGE:
        unpacked.report("no list of its members: it was cut off or damaged")
        return False
    return True


def _is_long(data: mmap.mmap, most: int) -> bool:
    """Whether the list at the end, which `zipfile` holds whole, is one of more members than `most`.

    How many it says it has may lie: entries are counted.
    """
    end = len(data) - _END.size
    if end < 0 or data[end : end + 4] != _END_SIGNATURE or data[-2:] != b"\0\0":
        end = data.rfind(_END_SIGNATURE, max(0, end - _MOST_COMMENT))
    if end < 0 or end + _END.size > len(data):
        return False
    *_, size, _, _ = _END.unpack_from(data, end)
    if (at := end - _END_64_BEFORE) >= 0 and data[at : at + 4] == _END_64_SIGNATURE:
        size = max(size, *_SIZE_64.unpack_from(data, at + _SIZE_64_AT))
    if size > _MOST_LIST_BYTES:
        return True
    count, at = 0, max(0, end - _END_64_BEFORE - size)
    while count <= most and (at := data.find(_LISTED, at, end)) >= 0:
        count, at = count + 1, at + len(_LISTED)
    return count > most


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _unpack_member(
    archive: zipfile.ZipFile, data: mmap.mmap, member: zipfile.ZipInfo, unpacked: Unpacked
) -> None:
    name = member.filename
    if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
        return
    if problem := _unread(member.flag_bits, member.compress_type):
        unpacked.report(problem, name)
        return
    try:
        # this checks the header too
        with archive.open(member) as content:
            if member.compress_type == zipfile.ZIP_BZIP2:
                unpacked.add(name, iter(partial(content.read, _CHUNK), b""))
                return
        unpacked.add(name, _checked(data, member))
    except BoundError:
        raise
    except _DAMAGE as error:
        unpacked.report(_damage(error), name)


def _checked(data: mmap.mmap, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's content; only behind its end is it known to be damaged. `zipfile` keeps less."""
    at = member.header_offset
    *_, name_length, rest_length = _LOCAL.unpack(data[at : at + _LOCAL.size])
    start = at + _LOCAL.size + name_length + rest_length
    content, checksum = _Content(data, start, start + member.compress_size), 0
    is_stored = member.compress_type == zipfile.ZIP_STORED
    for chunk in content.stored() if is_stored else content.inflated():
        checksum = zlib.crc32(chunk, checksum)
        yield chunk
    if checksum != member.CRC:
        raise zipfile.BadZipFile("bad CRC-32")


def _unread(flags: int, method: int) -> str | None:
    if flags & _ENCRYPTED:
        return "encrypted members"
    return None if method in _READ else "members compressed by a method that is not read"


def _damage(error: Exception) -> str:
    """A kind of damage. The error's own words hold the member's name, so they are left out."""
    return f"damaged members ({type(error).__name__})"


def _unpack_in_order(data: mmap.mmap, unpacked: Unpacked) -> None:
    """Unpack what follows each header of a member, without the list at the end."""
    at = data.find(_SIGNATURE)
    while at >= 0:
        at = data.find(_SIGNATURE, _unpack_at(data, at, unpacked))


def _unpack_at(data: mmap.mmap, at: int, unpacked: Unpacked) -> int:
    """Unpack the member whose header is at a byte; returns the byte to look for the next one at."""
    header = data[at : at + _LOCAL.size]
    if len(header) < _LOCAL.size:
        return len(data)
    _, _, flags, method, _, _, size, _, name_length, rest_length = _LOCAL.unpack(header)
    start: int = at + _LOCAL.size + name_length + rest_length
    name = data[at + _LOCAL.size : at + _LOCAL.size + name_length].decode(
        "utf-8" if flags & _UTF8 else "cp437", "replace"
    )
    if start > len(data):  # cut off inside the name
        return len(data)
    if name.endswith("/"):
        return start
    is_whole = size != _UNKNOWN_SIZE and not flags & _SIZES_BEHIND
    if problem := _unread(flags, method):
        unpacked.report(problem, name)
        return start + (size if is_whole else 0)
    content = _Content(data, start, min(len(data), start + size) if is_whole else len(data))
    try:
        if method == zipfile.ZIP_DEFLATED:
            unpacked.add(name, content.inflated())
        elif method == zipfile.ZIP_STORED and is_whole:
            unpacked.add(name, content.stored())
        else:
            unpacked.report("members whose size was lost", name)
        if is_whole and start + size > len(data):
            raise EOFError("cut off")
    except BoundError:
        raise
    except _DAMAGE as error:
        unpacked.report(_damage(error), name)
    return content.end


class _Content:
    """The content of a member, between two bytes of the archive; `end` is where it was read to."""

    def __init__(self, data: mmap.mmap, start: int, stop: int) -> None:
        self._data, self._stop = data, stop
        self.end = start

    def stored(self) -> Iterator[bytes]:
        while chunk := self._data[self.end : min(self._stop, self.end + _CHUNK)]:
            self.end += len(chunk)
            yield chunk

    def inflated(self) -> Iterator[bytes]:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        while not inflate.eof:
            chunk = inflate.unconsumed_tail
            if not chunk:
                chunk = self._data[self.end : min(self._stop, self.end + _CHUNK)]
                self.end += len(chunk)
            if not chunk:
                raise EOFError("cut off")
            if whole := inflate.decompress(chunk, _CHUNK):
                yield whole
        self.end -= len(inflate.unused_data)
