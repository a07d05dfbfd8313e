"""Machines that share a store on a server in this process's memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

from data.progress import silent
from data.remote_store.copy_folder import CopyFolder
from data.remote_store.place import StorePlace, store_place
from data.remote_store.working_copy import WorkingCopy

URL = "memory://bucket/store"
STORED = "/bucket/store"


@contextmanager
def memory_server() -> Iterator[Any]:
    """An empty server in this process's memory: fsspec's file system of it."""
    files = fsspec.filesystem("memory")
    for when in ("before", "after"):
        files.store.clear()
        files.pseudo_dirs[:] = [""]
        if when == "before":
            yield files


class Machine:
    """A machine with a working copy of its own; `place` by default in memory."""

    def __init__(self, folder: Path, place: StorePlace | None = None) -> None:
        self.copy = WorkingCopy(CopyFolder(place or store_place(URL), folder))
        self.root = self.copy.store.root

    def fetch(self) -> None:
        self.copy.fetch(silent)

    def send(self) -> None:
        self.copy.send(silent)

    def write(self, name: str, content: bytes | str) -> None:
        """Replace a file of the working copy, as all writers do."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.1.aside")
        aside.write_bytes(content if isinstance(content, bytes) else content.encode())
        aside.replace(file)

    def read(self, name: str) -> str | None:
        """The text of a file of the working copy; None without one."""
        file = self.root / name
        return file.read_text() if file.is_file() else None

    def work(self, **files: str) -> None:
        """Fetch, write files by their names (`__` for a slash, `_` for a dot), and send."""
        self.fetch()
        for name, content in files.items():
            self.write(name.replace("__", "/").replace("_", "."), content)
        self.send()

    @property
    def files(self) -> dict[str, str]:
        """The store's files that are there, by path, without locks and the copy's mark."""
        return {
            path.relative_to(self.root).as_posix(): path.read_text()
            for path in self.root.rglob("*")
            if path.is_file() and path.suffix != ".lock" and path.name != ".copied"
        }


def stored(memory: Any) -> list[str]:
    """The store's files on the server in memory, in order."""
    names = (str(path).removeprefix(f"{STORED}/") for path in memory.find(STORED))
    return sorted(name for name in names if name != "warehouse/created-once")
