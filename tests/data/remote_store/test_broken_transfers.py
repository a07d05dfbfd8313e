"""Whoever stops in the middle of a transfer, the next command goes on with whole files."""

import os
from pathlib import Path
from typing import Any

import pytest

from data.errors import StoreError, WriteError
from data.progress import silent
from data.remote_store import copy_folder, fetching, transfers
from data.remote_store.kept_files import is_report
from data.remote_store.sending import send
from tests.data.remote_store.machines import Machine, stored


class Killed(BaseException):
    """In place of a process that is killed."""


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("after", range(4))
def test_a_send_that_was_killed_goes_on(
    memory: Any,
    here: Machine,
    there: Machine,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
    sent: bool,
) -> None:
    """Killed before or after each of the files was sent: the warehouse is the last of them."""
    here.work(warehouse_duckdb="0", models__champion_json="0")
    left = [after]

    def breaks(name: str) -> None:
        kept = getattr(type(memory), name)

        def put(*words: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] >= 0 or sent:
                kept(*words, **options)
            if left[0] < 0:
                raise Killed

        monkeypatch.setattr(type(memory), name, put)

    files = {
        "runs/a/run.json": "1",
        "runs/a/parts/part-00000.parquet": "1",
        "models/champion.json": "1",
        "warehouse.duckdb": "1",
    }
    for name, content in files.items():
        here.write(name, content)
    breaks("put_file")
    with pytest.raises(Killed):
        here.send()
    monkeypatch.undo()
    there.fetch()
    is_published = sent and after == len(files) - 1
    assert there.read("warehouse.duckdb") == ("1" if is_published else "0")
    assert not is_published or there.files == files
    assert here.copy.has_unsent
    here.work()
    assert not here.copy.has_unsent
    there.fetch()
    assert there.files == here.files == files


def test_what_was_sent_and_not_noted_is_known_again(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was killed after the last file was sent."""
    here.fetch()
    here.write("warehouse.duckdb", "1")
    with monkeypatch.context() as patch:
        patch.setattr(copy_folder, "write_state", killed)
        with pytest.raises(Killed):
            here.send()
    assert here.copy.has_unsent
    here.work()
    assert not here.copy.has_unsent
    assert stored(memory) == ["warehouse/00000001.duckdb"]


def killed(*_: Any) -> Any:
    raise Killed


def test_a_fetch_that_breaks_off_leaves_whole_files_and_goes_on(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.work(warehouse_duckdb="0", runs__a_json="0", runs__b_json="0")
    there.fetch()
    here.work(warehouse_duckdb="1", runs__a_json="1", runs__b_json="1")
    kept = type(memory).get_file

    def breaks(files: Any, remote: str, local: str, *words: Any, **options: Any) -> Any:
        if remote.endswith(".duckdb"):
            Path(local).write_text("hal")
            raise OSError("line lost")
        return kept(files, remote, local, *words, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "get_file", breaks)
        with pytest.raises(StoreError, match="found line lost; expected a server that answers"):
            there.fetch()
    assert there.read("warehouse.duckdb") == "0"
    assert [path.name for path in there.root.rglob("*.aside")] == []
    there.fetch()
    assert there.files == here.files


def breaks_at(name: str, error: BaseException) -> Any:
    """In place of `get_file`: it raises an error in place of a file."""

    def get_file(files: Any, remote: str, local: str, *_: Any, **__: Any) -> None:
        if remote.endswith(name):
            raise error
        Path(local).write_bytes(files.cat_file(remote))

    return get_file


@pytest.mark.parametrize("error", [OSError("line lost"), Killed()])
def test_what_an_unfinished_fetch_brought_replaces_nothing(
    memory: Any,
    here: Machine,
    there: Machine,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    old = dict.fromkeys(("settings/a.json", "runs/r/run.json", "models/champion.json"), "old")
    here.fetch()
    for name, content in (old | {"warehouse.duckdb": "0"}).items():
        here.write(name, content)
    here.send()
    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "get_file", breaks_at(".duckdb", error))
        with pytest.raises((StoreError, Killed)):
            there.fetch()
    assert there.files == old
    assert not there.copy.has_unsent
    for name in old:
        here.write(name, "NEW")
    here.send()
    there.fetch()
    there.send()
    here.fetch()
    assert here.files == there.files == dict.fromkeys(old, "NEW") | {"warehouse.duckdb": "0"}


def test_a_kill_in_a_fetch_leaves_the_batches_before_it_known(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "_BATCH", 2)
    here.work(**{f"runs__{name}_json": "0" for name in "abcde"})
    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "get_file", breaks_at("e.json", Killed()))
        with pytest.raises(Killed):
            there.fetch()
    assert sorted(there.copy.folder.read_state().files) == [f"runs/{n}.json" for n in "abcd"]


@pytest.mark.parametrize("after", range(1, 5))
def test_a_kill_while_files_are_put_in_place_leaves_none_that_replace_newer_ones(
    here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    names = ("settings/a.json", "runs/r/run.json", "models/champion.json", "warehouse.duckdb")

    def publishes(content: str) -> None:
        here.fetch()
        for name in names:
            here.write(name, content)
        here.send()

    publishes("1")
    there.fetch()
    publishes("2")
    left = [after]

    def publish(temporary: Path, file: Path) -> None:
        temporary.replace(file)
        left[0] -= file.is_relative_to(there.root)
        if not left[0]:
            raise Killed

    with monkeypatch.context() as patch:
        for module in (transfers, fetching):
            patch.setattr(module, "publish", publish)
        with pytest.raises(Killed):
            there.fetch()
    assert sorted(there.files.values()) == sorted(["1"] * (4 - after) + ["2"] * after)
    assert not there.copy.has_unsent
    publishes("3")
    there.fetch()
    there.send()
    here.fetch()
    assert here.files == there.files == dict.fromkeys(names, "3")


def test_where_nothing_is_known_the_server_wins(
    here: Machine, there: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    here.work(settings__a_json="old", models__m="old", runs__same="x")
    there.fetch()
    here.work(settings__a_json="NEW", models__m="NEW")
    (there.copy.folder.path / "state.json").write_text("")
    send(there.copy.folder, silent, is_report)  # as a page does
    there.fetch()
    there.send()
    here.fetch()
    assert here.files == {"settings/a.json": "NEW", "models/m": "NEW", "runs/same": "x"}
    assert there.files == here.files
    told = capsys.readouterr().err.splitlines()
    aside = Path(told[-1].rpartition(" ")[2])
    assert (aside / "settings/a.json").read_text() == (aside / "models/m").read_text() == "old"


def test_a_full_disk_is_named_as_one(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.work(runs__a_json="0")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(type(memory), "get_file", full)
    with pytest.raises(WriteError, match="No space left"):
        there.fetch()


def test_a_place_that_was_emptied_takes_no_copy_with_it(memory: Any, here: Machine) -> None:
    here.work(warehouse_duckdb="0")
    memory.store.clear()
    with pytest.raises(StoreError, match=r"found nothing there any more; .*emptied on purpose"):
        here.fetch()
    assert here.read("warehouse.duckdb") == "0"
