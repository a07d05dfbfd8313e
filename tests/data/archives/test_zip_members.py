"""Zip archives whose list of members is hostile."""

import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from tests.data.archives.archive_files import CONTENT, members, unpacked, write_zip


def test_many_damaged_members_are_one_kind_of_problem(tmp_path: Path) -> None:
    """Errors of `zipfile` quote the names of members."""
    content = [(f"member {number}", b"x") for number in range(2000)]
    path = write_zip(tmp_path / "x.zip", content, zipfile.ZIP_STORED)
    raw = path.read_bytes()
    listed = raw.index(b"PK\x01\x02")
    path.write_bytes(raw[:listed].replace(b"member ", b"another") + raw[listed:])
    held = unpacked(path)
    assert held.described() == "2000 x damaged members (BadZipFile) (member 0)"


def test_a_list_of_too_many_members_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "x.zip", CONTENT.items())
    monkeypatch.setattr(zipfile, "ZipFile", None)  # it would hold the whole list
    held = unpacked(path, members=4)
    assert list(members(held.root)) == list(CONTENT)[:4]
    assert "a list of too many members: they are read in order" in held.described()
    assert "more than 4 members: what follows is lost" in held.described()


@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_the_count_of_a_list_may_lie(tmp_path: Path, comment: bytes) -> None:
    path = write_zip(tmp_path / "x.zip", [("a", b"x")])
    raw = path.read_bytes()
    start, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entry = raw[start:end] * 200_000
    ending = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), start, len(comment))
    path.write_bytes(raw[:start] + entry + ending + comment)
    tracemalloc.start()
    held = unpacked(path, members=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    assert members(held.root) == {"a": b"x"}
    assert "a list of too many members" in held.described()


def test_a_list_of_an_impossible_size_is_not_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", CONTENT.items())
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, raw.index(b"PK\x05\x06") + 12, 2**31)
    path.write_bytes(raw)
    held = unpacked(path)
    assert members(held.root) == CONTENT
    assert held.problems
