"""Archives that are hostile, damaged or cut: what is whole is kept, the rest is told."""

import bz2
import gzip
import os
import random
import resource
import signal
import stat
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from data.archives.members import folder_name
from data.errors import WriteError
from tests.data.archives.archive_files import CONTENT, members, tarred, unpacked, write_zip


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_archive_is_its_members(tmp_path: Path, method: int) -> None:
    held = unpacked(write_zip(tmp_path / "x.zip", CONTENT.items(), method))
    assert members(held.root) == CONTENT
    assert not held.problems


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_a_tar_archive_is_its_members(tmp_path: Path, form: int, pack: type[bytes]) -> None:
    (tmp_path / "x.tar").write_bytes(pack(tarred(CONTENT.items(), form)))
    held = unpacked(tmp_path / "x.tar")
    assert members(held.root) == CONTENT
    assert not held.problems


HOSTILE = (
    "../../../escaped",
    "/escaped",
    "a/../../escaped",
    "..\\..\\escaped",
    "C:\\escaped",
    "./x/./escaped",
    "e\u202escaped",
    "x" * 300 + "/escaped",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_name_of_an_archive_is_ever_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.chdir(scratch)
    path = tmp_path / f"x.{kind}"
    if kind == "zip":
        write_zip(path, [(name, b"content")])
    else:
        path.write_bytes(tarred([(name, b"content")]))
    held = unpacked(path)
    assert list(members(held.root).values()) == [b"content"]
    written = [file.name for file in scratch.rglob("*") if file.parent != scratch]
    assert sorted(written) == ["1", "folder"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["scratch", path.name]


def test_links_and_devices_are_left_out_and_hard_links_are_the_file(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, kind, target in (
            ("a", tarfile.REGTYPE, ""),
            ("hard", tarfile.LNKTYPE, "a"),
            ("hard-elsewhere", tarfile.LNKTYPE, "/etc/passwd"),
            ("soft", tarfile.SYMTYPE, "/etc/passwd"),
            ("pipe", tarfile.FIFOTYPE, ""),
            ("device", tarfile.CHRTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
    assert members(unpacked(tmp_path / "x.tar").root) == {"a": b"", "hard": b""}
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        link = zipfile.ZipInfo("soft")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        zipped.writestr(link, "/etc/passwd")
    assert members(unpacked(tmp_path / "x.zip").root) == {}


def test_of_two_members_of_one_name_the_last_is_read_and_the_other_told(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tarred([("a", b"1"), ("b", b"x"), ("a", b"2"), ("b", b"x")]))
    held = unpacked(tmp_path / "x.tar")
    assert members(held.root) == {"a": b"2", "b": b"x"}
    assert held.described() == "members whose name stands again behind them; the last is read (a)"


def test_a_file_and_a_folder_of_one_name_cost_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(
        tarred([("a", b"1"), ("a/b", b"2"), ("c/d", b"3"), ("c", b"4")])
    )
    held = unpacked(tmp_path / "x.tar")
    assert members(held.root) == {"a": b"1", "c/d": b"3"}
    assert held.described() == "2 x members with the name of a folder (a/b)"


def test_encrypted_members_are_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", CONTENT.items())
    raw = bytearray(path.read_bytes())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(magic) + flags] |= 1
    path.write_bytes(raw)
    held = unpacked(path)
    assert len(members(held.root)) == len(CONTENT) - 1
    assert held.described() == "encrypted members (run/0.txt)"


def test_a_bomb_ends_at_the_bound_and_keeps_what_came_before(tmp_path: Path) -> None:
    content = [("a", b"first"), ("bomb", bytes(2**24)), ("c", b"last")]
    (tmp_path / "x.tar").write_bytes(gzip.compress(tarred(content)))
    write_zip(tmp_path / "x.zip", content)
    for name in ("x.tar", "x.zip"):
        held = unpacked(tmp_path / name, free_bytes=2**20, expansion=10)
        found = members(held.root)
        assert found["a"] == b"first"
        assert sum(map(len, found.values())) <= 2**20
        assert "more than 10 times its size" in held.described()
        assert "c" not in found


def test_members_that_share_their_bytes_count_each(tmp_path: Path) -> None:
    """As in Fifield's "A better zip bomb": many entries of the list, one content."""
    path = write_zip(tmp_path / "x.zip", [("a", bytes(2**20))])
    raw = path.read_bytes()
    start, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entry = raw[start:end]
    ending = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 500, 500, 500 * len(entry), start, 0)
    path.write_bytes(raw[:start] + entry * 500 + ending)
    held = unpacked(path, free_bytes=2**22, expansion=1)
    assert "more than 1 times its size" in held.described()


@pytest.mark.parametrize("size", [0, 10, 10**9])
def test_a_quoted_size_that_lies_costs_nothing(tmp_path: Path, size: int) -> None:
    path = write_zip(tmp_path / "x.zip", [("a", b"a" * 5000), ("b", b"whole")])
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, raw.index(b"PK\x03\x04") + 22, size)
    struct.pack_into("<I", raw, raw.index(b"PK\x01\x02") + 24, size)
    path.write_bytes(raw)
    held = unpacked(path)
    found = members(held.root)
    assert found["b"] == b"whole"
    assert found["a"] == b"a" * 5000


def test_too_many_members_end_the_reading(tmp_path: Path) -> None:
    for name in ("x.zip", "x.tar"):
        path = tmp_path / name
        if name == "x.zip":
            write_zip(path, CONTENT.items())
        else:
            path.write_bytes(tarred(CONTENT.items()))
        held = unpacked(path, members=4)
        assert list(members(held.root)) == ["run/0.txt", "run/1.txt", "run/2.txt", "run/3.txt"]
        assert "more than 4 members: what follows is lost" in held.described()


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_a_full_disk_is_no_fault_of_the_archive(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".zip":
        write_zip(path, CONTENT.items())
    else:
        path.write_bytes(tarred(CONTENT.items()))
    with pytest.raises(WriteError, match=r"less than 1.2e\+09 GB left.*free some space"):
        unpacked(path, bytes_left=2**60)


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
@pytest.mark.parametrize("size", [2**18 + 100, 2**17])
def test_a_disk_that_is_full_at_any_byte_is_no_fault_of_the_archive(
    tmp_path: Path, name: str, size: int
) -> None:
    path, members = tmp_path / name, {"a.jsonl": b"a" * size, "b.jsonl": b"b"}
    if path.suffix == ".zip":
        write_zip(path, members.items())
    else:
        path.write_bytes(tarred(members.items()))
    handler, limits = signal.getsignal(signal.SIGXFSZ), resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - 50, limits[1]))
    try:
        with pytest.raises(WriteError, match="File too large"):
            unpacked(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_huge_header_of_a_tar_archive_is_not_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**32
    raw = tarred([("a", b"first")])[:1024] + header.tobuf() + bytes(2**20)
    (tmp_path / "x.tar").write_bytes(gzip.compress(raw))
    held = unpacked(tmp_path / "x.tar")
    assert members(held.root) == {"a": b"first"}
    assert "a header of 4294967296 bytes: what follows is lost (a)" in held.described()


def test_after_a_damaged_header_the_next_member_is_read(tmp_path: Path) -> None:
    raw = bytearray(tarred(CONTENT.items(), tarfile.USTAR_FORMAT))
    second = raw.index(b"run/1.txt")
    raw[second : second + 512] = os.urandom(512)
    (tmp_path / "x.tar").write_bytes(raw)
    held = unpacked(tmp_path / "x.tar")
    assert members(held.root) == {n: c for n, c in CONTENT.items() if n != "run/1.txt"}
    assert "damaged blocks, and what they held is lost" in held.described()


@pytest.mark.parametrize("kind", ["x.tar", "x.tgz", "x.zip"])
def test_an_archive_cut_anywhere_keeps_what_is_whole(tmp_path: Path, kind: str) -> None:
    rng = random.Random(15)  # noqa: S311
    content = {f"run/{n}.txt": rng.randbytes(700) for n in range(9)}
    if kind == "x.zip":
        whole = write_zip(tmp_path / kind, content.items()).read_bytes()
    else:
        raw = tarred(content.items())
        whole = gzip.compress(raw, 1) if kind == "x.tgz" else raw
    for cut in sorted(rng.sample(range(600, len(whole) - 1024), 60)):
        (tmp_path / kind).write_bytes(whole[:cut])
        held = unpacked(tmp_path / kind)
        found = members(held.root)
        complete = [name for name, held_content in found.items() if held_content == content[name]]
        assert list(found)[: len(complete)] == complete
        assert len(found) - len(complete) <= 1
        for name, held_content in found.items():
            assert content[name].startswith(held_content)
        if kind == "x.tar":  # nothing that is whole in the cut file is lost
            assert len(complete) == sum(cut >= whole.index(c) + 700 for c in content.values())
        if kind == "x.zip":
            assert len(complete) >= whole[:cut].count(b"PK\x03\x04") - 1
        assert held.problems


@pytest.mark.parametrize("kind", ["x.tar", "x.tgz", "x.zip"])
def test_200_flipped_bits_never_crash(tmp_path: Path, kind: str) -> None:
    rng = random.Random(72)  # noqa: S311
    if kind == "x.zip":
        whole = write_zip(tmp_path / kind, CONTENT.items()).read_bytes()
    else:
        raw = tarred(CONTENT.items())
        whole = gzip.compress(raw) if kind == "x.tgz" else raw
    for _ in range(200):
        flipped = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            flipped[rng.randrange(6, len(flipped))] ^= 1 << rng.randrange(8)
        (tmp_path / kind).write_bytes(flipped)
        held = unpacked(tmp_path / kind)
        found = members(held.root)
        held.close()
        assert held.problems or set(found.values()) <= set(CONTENT.values()) or kind == "x.tar"


def test_scratch_files_go_with_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = unpacked(write_zip(tmp_path / "x.zip", CONTENT.items()))
    (scratch,) = tmp_path.glob("streetreplay-*")
    held.close()
    assert not scratch.exists()


def test_paths_of_members_are_paths(tmp_path: Path) -> None:
    held = unpacked(write_zip(tmp_path / "ab12cd34.zip", CONTENT.items()))
    path = held.root / "run" / "3.txt"
    assert str(path) == f"{tmp_path.resolve()}/ab12cd34.zip!/run/3.txt"
    assert (path.name, path.parent.name, path.suffix) == ("3.txt", "run", ".txt")
    assert path.parent.is_dir()
    assert not (path / "x").exists()
    assert not (held.root / "run" / "4").exists()
    assert path.resolve() == path
    assert Path(os.fspath(path)).read_bytes() == CONTENT["run/3.txt"]
    with pytest.raises(NotADirectoryError):
        list(path.iterdir())
    with pytest.raises(FileNotFoundError):
        list((held.root / "nowhere").iterdir())
    assert folder_name(held.root) == "ab12cd34"
    assert folder_name(path.parent) == "run"
