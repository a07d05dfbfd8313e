"""Scratch folders go with their process, and those of killed ones with the next."""

import gc
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data.archives.members import ArchiveSettings, Unpacked
from data.archives.scratch import scratch_folder
from data.archives.unpack import unpack
from data.errors import WriteError
from data.logs.decompression import open_decompressed
from tests.data.archives.archive_files import CONTENT, members, write_zip

HELD = """
import sys, time
from pathlib import Path
from data.archives.scratch import scratch_folder
folder = scratch_folder(Path(sys.argv[1]))
(folder.path / "content").write_bytes(b"x")
print(folder.path.name, flush=True)
time.sleep(600)
"""


def test_a_process_has_one_folder_that_goes_with_its_last_holder(tmp_path: Path) -> None:
    root = tmp_path / "store" / "unpacked"
    first, second = scratch_folder(root), scratch_folder(root)
    assert first.path == second.path
    assert [first.path] == list(root.iterdir())
    del first
    gc.collect()
    assert second.path.is_dir()
    del second
    gc.collect()
    assert list(root.iterdir()) == []


def test_folders_of_killed_processes_are_removed_and_those_of_others_kept(tmp_path: Path) -> None:
    def started() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HELD, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    (killed, left), (living, held) = started(), started()
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert {left, held} == {folder.name for folder in tmp_path.iterdir()}
        own = scratch_folder(tmp_path)
        assert {own.path.name, held} == {folder.name for folder in tmp_path.iterdir()}
        assert (tmp_path / held / "content").read_bytes() == b"x"
    finally:
        living.kill()
        living.wait()
        for process in (killed, living):
            assert process.stdout is not None
            process.stdout.close()


def test_archives_are_unpacked_there(tmp_path: Path) -> None:
    root = tmp_path / "unpacked"
    path = write_zip(tmp_path / "x.zip", CONTENT.items())
    held = unpack(path, open_decompressed, scratch=root)
    assert members(held.root) == CONTENT
    files = [file for file in root.rglob("*") if file.is_file()]
    assert sorted(file.read_bytes() for file in files) == sorted(CONTENT.values())
    del held
    gc.collect()
    assert list(root.iterdir()) == []


def test_a_disk_that_fills_up_ends_the_unpacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter(range(100, 0, -10))
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": next(free)}))
    held = Unpacked(write_zip(tmp_path / "x.zip", CONTENT.items()), ArchiveSettings(bytes_left=50))
    chunks = iter([b"x"] * 100)
    with pytest.raises(WriteError, match=r"less than 5e-08 GB left on the disk.*free some space"):
        held.add("a", chunks)
    assert 90 < len(list(chunks)) < 100
