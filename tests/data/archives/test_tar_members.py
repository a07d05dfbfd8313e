"""Sparse members of tar archives: told and left out, as their maps can be of any size."""

import gzip
import shutil
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from tests.data.archives.archive_files import members, tarred, unpacked

NEIGHBOURS = {"a": b"first", "b": b"last"}


def sparse_member(pax_headers: dict[str, str], data: bytes = b"") -> bytes:
    member = tarfile.TarInfo("sparse")
    member.size, member.pax_headers = len(data), pax_headers
    padding = bytes(-len(data) % tarfile.BLOCKSIZE)
    return member.tobuf(tarfile.PAX_FORMAT) + data + padding


def between_neighbours(member: bytes) -> bytes:
    first, last = (tarred([neighbour])[:1024] for neighbour in NEIGHBOURS.items())
    return first + member + last + bytes(1024)


MAP = b"4000000\n" + b"0\n1\n" * 4_000_000
SPARSE = {
    "0.0": sparse_member({"GNU.sparse.size": "9", "GNU.sparse.numblocks": "1"}, b"data"),
    "0.1": sparse_member({"GNU.sparse.map": "0,1," * 200_000 + "0,1"}, b"data"),
    "1.0": sparse_member({"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}, MAP),
}


@pytest.mark.parametrize("version", SPARSE)
def test_a_map_of_a_sparse_member_is_not_read(tmp_path: Path, version: str) -> None:
    path = tmp_path / "x.tgz"
    path.write_bytes(gzip.compress(between_neighbours(SPARSE[version])))
    tracemalloc.start()
    held = unpacked(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    assert members(held.root) == NEIGHBOURS
    assert held.described() == "sparse members, which are not read (sparse)"


def old_sparse_member(blocks: int) -> bytes:
    """A member of GNU tar's first sparse form, its map in so many blocks behind the header."""
    header = bytearray(tarfile.TarInfo("sparse").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[482] = blocks > 0
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    block = bytearray(b"00000000001\0" * 42 + bytes(8))
    block[504] = 1
    last = block[:504] + bytes(8)
    return bytes(header) + bytes(block) * (blocks - 1) + bytes(last) * (blocks > 0)


@pytest.mark.parametrize("blocks", [0, 1, 50])
def test_the_first_form_of_sparse_members_is_skipped(tmp_path: Path, blocks: int) -> None:
    (tmp_path / "x.tar").write_bytes(between_neighbours(old_sparse_member(blocks)))
    held = unpacked(tmp_path / "x.tar")
    assert members(held.root) == NEIGHBOURS
    assert held.described() == "sparse members, which are not read (sparse)"


def test_a_map_without_an_end_ends_the_reading(tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(gzip.compress(between_neighbours(old_sparse_member(10**5))))
    held = unpacked(tmp_path / "x.tgz")
    assert members(held.root) == {"a": b"first"}
    assert "a map of a sparse file without an end: what follows is lost" in held.described()


@pytest.mark.skipif(not shutil.which("tar"), reason="needs tar")
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_sparse_members_of_a_real_tar_are_told(tmp_path: Path, form: str) -> None:
    for name, content in NEIGHBOURS.items():
        (tmp_path / name).write_bytes(content)
    with (tmp_path / "aa").open("wb") as hollow:
        for place in range(0, 60 * 2**16, 2**16):
            hollow.seek(place)
            hollow.write(b"x")
        hollow.truncate(2**25)
    command = ["tar", "--sparse", f"--format={form}", "-cf", "x.tar", "a", "aa", "b"]
    subprocess.run(command, cwd=tmp_path, check=True)
    held = unpacked(tmp_path / "x.tar")
    assert members(held.root) in (NEIGHBOURS, NEIGHBOURS | {"aa": (tmp_path / "aa").read_bytes()})
    if len(members(held.root)) == len(NEIGHBOURS):
        assert held.described() == "sparse members, which are not read (aa)"
