import errno
import os
from pathlib import Path

import pytest

from data.atomic_files import (
    atomic_file,
    make_folder,
    remove_left_over,
    remove_left_overs,
    write_atomic,
)
from data.errors import WriteError


def fail_to_sync(monkeypatch: pytest.MonkeyPatch, code: int = errno.ENOSPC) -> None:
    def fsync(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("synced", [True, False])
def test_a_file_is_replaced_whole(tmp_path: Path, synced: bool) -> None:
    file = tmp_path / "run.json"
    for content in (b"old", b"new and longer", b""):
        write_atomic(file, content, synced=synced)
        assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_what_does_not_reach_the_disk_leaves_the_old_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    file = tmp_path / "run.json"
    write_atomic(file, b"old")
    fail_to_sync(monkeypatch, code)
    with pytest.raises(
        WriteError, match=r"run\.json: found .*; expected .*free some space"
    ) as error:
        write_atomic(file, b"new")
    assert os.strerror(code) in str(error.value)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    write_atomic(file, b"old")

    def fail() -> None:
        with atomic_file(file) as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="No such file"):
        write_atomic(tmp_path / "none" / "a", b"")


def test_an_error_that_is_not_the_systems_stays_what_it_is(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_file(tmp_path / "a.jpg"):
            raise OSError("cannot write mode RGBA as JPEG")

    with pytest.raises(OSError, match=r"^cannot write mode RGBA as JPEG$"):
        fail()
    assert not list(tmp_path.iterdir())


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    file, others = tmp_path / "a[1].pt", (tmp_path / ".a1.pt.7.aside", tmp_path / "a[1].pt.aside")
    for path in (file, *others, tmp_path / ".a[1].pt.7.aside", tmp_path / ".a[1].pt.99.aside"):
        path.write_bytes(b"")
    remove_left_over(file)
    assert sorted(tmp_path.iterdir()) == sorted((file, *others))
    remove_left_over(tmp_path / "none" / "a")


def test_what_killed_processes_left_in_a_folder_is_removed(tmp_path: Path) -> None:
    for name in (".a.json.77.aside", ".b.78.aside", "a.json", "b.aside"):
        (tmp_path / name).touch()
    remove_left_overs(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.aside"]


def test_a_url_is_no_folder_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WriteError, match="s3://bucket/images: found a URL"):
        make_folder(Path("s3://bucket/images"))
    assert not list(tmp_path.iterdir())
