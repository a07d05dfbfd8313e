"""Unpack a tar archive from a stream, in one pass; after a damaged header at the next whole one."""

import tarfile
from functools import partial
from typing import IO

from data.archives.members import BoundError, Unpacked

_CHUNK = 2**20
# A header's own data, such as a long name. Python reads it whole before anything can be checked.
_MOST_HEADER_BYTES = 2**20
_HEADER_DATA = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
_MOST_DAMAGED_BLOCKS = 100_000
_MOST_SPARSE_BLOCKS = 1000
_MOST_WORDS = 200  # of an error; some show what they found whole
_EXTENDED_AT = 504  # in a block of a sparse file's map: whether another follows


class _Blocks:
    """The blocks of headers that were read: how many are damaged, and what the last one is."""

    def __init__(self) -> None:
        self.damaged = 0
        self.ended = False

    def of_class(self) -> type[tarfile.TarInfo]:
        """A `TarInfo` that notes every header here."""
        blocks = self

        class Header(tarfile.TarInfo):
            @classmethod
            def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "Header":
                try:
                    header = super().frombuf(buf, encoding, errors)
                except tarfile.HeaderError:
                    blocks.note(bytes(buf))
                    raise
                blocks.ended = False
                if header.type in _HEADER_DATA and header.size > _MOST_HEADER_BYTES:
                    raise BoundError(f"a header of {header.size} bytes")
                return header

            # Python reads the map of a sparse file whole, which a few bytes can make gigabytes of.
            # Here the map is left empty, so that `issparse` tells such a member.

            def _proc_sparse(self, archive: tarfile.TarFile) -> "Header":
                stream, blocks_of_map = archive.fileobj, 0
                _, is_extended, _ = self._sparse_structs  # type: ignore[attr-defined]
                while is_extended:
                    block = stream.read(tarfile.BLOCKSIZE)
                    is_extended = len(block) > _EXTENDED_AT and bool(block[_EXTENDED_AT])
                    blocks_of_map += 1
                    if blocks_of_map > _MOST_SPARSE_BLOCKS:
                        raise BoundError("a map of a sparse file without an end")
                return self._without_map(self._proc_builtin(archive))  # type: ignore[attr-defined]

            def _proc_gnusparse_00(self, member: "Header", *_: object) -> None:
                self._without_map(member)

            _proc_gnusparse_01 = _proc_gnusparse_10 = _proc_gnusparse_00

            @staticmethod
            def _without_map(member: "Header") -> "Header":
                member.sparse = b""
                return member

        return Header

    def note(self, block: bytes) -> None:
        """Note a block that is no header: zeros at the end, or damage."""
        if not block:
            return
        self.ended = len(block) == tarfile.BLOCKSIZE and not any(block)
        self.damaged += not self.ended
        if self.damaged > _MOST_DAMAGED_BLOCKS:
            raise BoundError(f"{self.damaged} damaged blocks")


def unpack_tar(stream: IO[bytes], unpacked: Unpacked) -> None:
    """Unpack every regular file; links and devices are left out, and what is lost is reported."""
    blocks, name = _Blocks(), "its start"
    try:
        with tarfile.open(
            fileobj=stream,
            mode="r|",
            tarinfo=blocks.of_class(),
            ignore_zeros=True,
            errorlevel=2,
        ) as archive:
            while (member := archive.next()) is not None:
                name = member.name
                archive.members = []  # type: ignore[attr-defined]  # else it keeps all of them
                if member.issparse():
                    unpacked.report("sparse members, which are not read", name)
                elif member.isreg() and (content := archive.extractfile(member)) is not None:
                    unpacked.add(name, iter(partial(content.read, _CHUNK), b""))
                elif member.islnk():
                    unpacked.link(name, member.linkname)
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        unpacked.report(f"{' '.join(str(error).split())[:_MOST_WORDS]}: what follows is lost", name)
        return
    if blocks.damaged:
        unpacked.report(f"{blocks.damaged} damaged blocks, and what they held is lost")
    elif not blocks.ended:
        unpacked.report("no end: it was cut off there", name)
