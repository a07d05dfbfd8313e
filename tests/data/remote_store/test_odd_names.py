"""A name that this disk cannot hold costs that file alone."""

from pathlib import Path
from typing import Any

import pytest

from data.progress import silent
from data.remote_store.copy_folder import CopyFolder
from data.remote_store.place import store_place
from data.remote_store.working_copy import WorkingCopy
from tests.data.remote_store.machines import STORED, URL, Machine, stored


@pytest.mark.parametrize(
    "name",
    [
        f"runs/{'x' * 300}",
        f"runs/{'x' * 250}",  # longer while it is written
        f"runs/{'é' * 127}",
        f"runs/{'x' * 300}/a",
        "runs/" + "/".join(["x" * 200] * 25),
        "runs/\udc80\ud800",
    ],
)
def test_a_name_that_is_too_long_is_left_out(
    memory: Any, there: Machine, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    there.work(settings__a_json="1", warehouse_duckdb="0")
    assert capsys.readouterr().err == ""
    memory.pipe(f"{STORED}/{name}", b"x")
    there.fetch()
    there.write("runs/b", "b")
    there.send()
    assert there.files == {"settings/a.json": "1", "warehouse.duckdb": "0", "runs/b": "b"}
    assert name in stored(memory)
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"store {URL}: left out 1 files that this disk cannot hold, as their ")
    assert len(told) < 300


def test_a_file_where_others_have_a_folder_is_left_out(
    memory: Any,
    here: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def get_file(files: Any, remote: str, local: str, **_: Any) -> None:
        """As object stores do, which know no folders."""
        Path(local).write_bytes(files.store[remote].getvalue())

    monkeypatch.setattr(type(memory), "get_file", get_file)
    for name in ("runs/a/b/c", "runs/a"):
        memory.pipe(f"{STORED}/{name}", name.encode())
    here.work()
    assert here.files == {"runs/a/b/c": "runs/a/b/c"}
    assert stored(memory) == ["runs/a", "runs/a/b/c"]
    assert capsys.readouterr().err.endswith("; the first: runs/a\n")


def test_a_folder_takes_the_place_of_a_file(memory: Any, here: Machine) -> None:
    here.work(runs__a="0", runs__b="0")
    (here.root / "runs" / "b").unlink()
    (here.root / "runs" / "b").mkdir()
    here.send()
    assert stored(memory) == ["runs/a"]
    memory.rm_file(f"{STORED}/runs/a")
    memory.pipe(f"{STORED}/runs/a/b", b"1")
    here.fetch()
    assert here.files == {"runs/a/b": "1"}


def test_names_of_usual_length_are_all_held(here: Machine, tmp_path: Path) -> None:
    name = f"runs/{'x' * 200}/{'é' * 100}"
    here.fetch()
    here.write(name, "x")
    here.send()
    other = WorkingCopy(CopyFolder(store_place(URL), tmp_path / "other"))
    other.fetch(silent)
    assert (other.store.root / name).read_text() == "x"
