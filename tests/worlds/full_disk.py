"""A disk that is full: a small tmpfs, which only root can mount."""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kB at `folder`; the test is skipped where none can be made."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a full disk needs root on Linux, to mount a small tmpfs: run as root")
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a full disk needs leave to mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        gc.collect()  # files that garbage holds open keep the disk busy
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> None:
    """Write until nothing but `leave` bytes is free."""
    free = shutil.disk_usage(folder).free
    with (folder / "ballast").open("wb") as stream:
        stream.write(b"\0" * max(0, free - leave))
