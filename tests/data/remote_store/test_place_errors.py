"""What goes wrong is told of the server, or of this machine's disk."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from data.errors import StoreError, WriteError
from tests.data.remote_store.machines import URL, Machine


def fails(monkeypatch: pytest.MonkeyPatch, memory: Any, error: OSError) -> None:
    def get_file(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(type(memory), "get_file", get_file)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_file_here_that_may_not_be_written_is_named(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    here.work(runs__a_json="0")
    file = there.root / "runs" / ".a.json.1.aside"
    fails(monkeypatch, memory, PermissionError(number, os.strerror(number), str(file)))
    with pytest.raises(WriteError, match=f"^{file}: found {os.strerror(number)}; expected free"):
        there.fetch()


@pytest.mark.parametrize("name", [None, "bucket/store/runs/a.json", "/bucket/store/runs/a.json"])
def test_a_server_that_refuses_is_named(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    here.work(runs__a_json="0")
    fails(monkeypatch, memory, PermissionError(errno.EACCES, "Access Denied", name))
    with pytest.raises(StoreError, match=f"^store {URL}: found .*Access Denied"):
        there.fetch()


def test_a_copy_whose_lock_may_not_be_written_is_named(
    here: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = here.copy.folder.path / "copy.lock"

    def refuses(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(lock))

    monkeypatch.setattr("filelock.FileLock.acquire", refuses)
    with pytest.raises(WriteError, match=f"^{lock}: found Permission denied"):
        here.fetch()
    assert Path(lock).parent.is_dir()
