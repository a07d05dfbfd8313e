"""Two machines publish at once: the second is refused, and nothing of either is lost."""

from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from data.errors import StoreError
from data.remote_store import sending, transfers
from tests.data.remote_store.machines import STORED, URL, Machine, stored


def test_the_warehouse_goes_last_and_what_names_others_before_it(
    here: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def recorded(name: str) -> None:
        kept = getattr(sending, name)

        def record(place: Any, files: Any, *rest: Any) -> None:
            listed = files if isinstance(files, list) else [files]
            sent.extend(file.remote.removeprefix(f"{STORED}/") for file in listed)
            kept(place, files, *rest)

        monkeypatch.setattr(sending, name, record)

    recorded("put_files")
    recorded("put_guarded")
    here.fetch()
    for name in ("warehouse.duckdb", "models/champion.json", "models/promotions.jsonl"):
        here.write(name, "x")
    here.write("models/a/model.safetensors", "x")
    here.write("runs/a/run.json", "x")
    here.send()
    assert sent == [
        "runs/a/run.json",
        "models/a/model.safetensors",
        "models/promotions.jsonl",
        "models/champion.json",
        "warehouse/00000001.duckdb",
    ]


@pytest.mark.parametrize("name", ["warehouse.duckdb", "models/champion.json"])
@pytest.mark.parametrize("before", [{}, {"warehouse_duckdb": "0", "models__champion_json": "0"}])
def test_of_two_that_publish_the_second_fails_and_loses_nothing(
    here: Machine, there: Machine, name: str, before: dict[str, str]
) -> None:
    here.work(**before)
    there.fetch()
    here.write(name, "here")
    there.write(name, "there")
    there.write("runs/b/run.json", "there")
    here.send()
    with pytest.raises(StoreError) as error:
        there.send()
    told = str(error.value)
    assert told.startswith(f"store {URL}: found {name} replaced by another machine meanwhile; ")
    aside = Path(told.rpartition(" ")[2]) / name
    assert aside.read_text() == "there"
    there.fetch()
    assert there.read(name) == "here"
    here.fetch()
    assert here.read("runs/b/run.json") == "there"
    there.write(name, "both")
    there.send()
    here.fetch()
    assert here.read(name) == "both"


def test_one_is_faster_between_a_look_and_a_send(
    here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.work(warehouse_duckdb="0", models__champion_json="0")
    there.fetch()
    kept = transfers.put_files

    def meanwhile(*words: Any) -> None:
        kept(*words)
        monkeypatch.setattr(sending, "put_files", kept)
        here.work(warehouse_duckdb="here")

    there.write("warehouse.duckdb", "there")
    monkeypatch.setattr(sending, "put_files", meanwhile)
    with pytest.raises(StoreError, match=r"warehouse\.duckdb replaced by another machine"):
        there.send()
    there.fetch()
    assert there.read("warehouse.duckdb") == "here"


def test_one_is_overtaken_by_several(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version is created though, as the one of its number was removed again."""
    here.work(warehouse_duckdb="0")
    there.fetch()
    kept = transfers.put_files

    def meanwhile(*words: Any) -> None:
        kept(*words)
        monkeypatch.setattr(sending, "put_files", kept)
        for number in range(1, 5):
            here.work(warehouse_duckdb=str(number))

    there.write("warehouse.duckdb", "there")
    monkeypatch.setattr(sending, "put_files", meanwhile)
    with pytest.raises(StoreError, match=r"warehouse\.duckdb replaced by another machine"):
        there.send()
    there.fetch()
    assert there.read("warehouse.duckdb") == "4"
    assert stored(memory) == ["warehouse/00000004.duckdb", "warehouse/00000005.duckdb"]


def test_an_answer_that_was_lost_is_no_other_machine(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = transfers.put_guarded

    def asked_twice(*words: Any) -> None:
        kept(*words)
        raise FileExistsError("the condition does not hold")

    here.fetch()
    here.write("warehouse.duckdb", "here")
    monkeypatch.setattr(sending, "put_guarded", asked_twice)
    here.send()
    there.fetch()
    assert there.read("warehouse.duckdb") == "here"
    assert not here.copy.has_unsent


def test_of_what_is_not_guarded_the_last_one_counts(here: Machine, there: Machine) -> None:
    here.work(settings__my_json="0")
    there.fetch()
    here.work(settings__my_json="here")
    there.write("settings/my.json", "there")
    there.send()
    here.fetch()
    assert here.read("settings/my.json") == "there"


def test_while_one_publishes_here_the_warehouse_is_left_to_it(
    here: Machine, there: Machine
) -> None:
    here.work(warehouse_duckdb="0")
    there.work(warehouse_duckdb="1", runs__a_json="1")
    with FileLock(here.copy.store.warehouse_lock):
        here.fetch()
        assert here.files == {"warehouse.duckdb": "0", "runs/a.json": "1"}
    here.fetch()
    assert here.read("warehouse.duckdb") == "1"


def test_who_publishes_waits_for_no_fetch(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of the warehouse is free while files come, and the one of this machine stays."""
    here.work(warehouse_duckdb="0")
    there.work(warehouse_duckdb="1", runs__a_json="1")
    kept = type(memory).get_file
    came: list[str] = []

    def publishes(files: Any, remote: str, *words: Any, **options: Any) -> None:
        with FileLock(here.copy.store.warehouse_lock, timeout=0):
            if remote.endswith(".duckdb"):
                here.write("warehouse.duckdb", "here")
        came.append(remote.removeprefix(f"{STORED}/"))
        kept(files, remote, *words, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "get_file", publishes)
        here.fetch()
    assert came == ["runs/a.json", "warehouse/00000002.duckdb"]
    assert here.files == {"runs/a.json": "1", "warehouse.duckdb": "here"}
    with pytest.raises(StoreError, match=r"warehouse\.duckdb replaced by another machine"):
        here.send()
    here.fetch()
    assert here.read("warehouse.duckdb") == "1"


def test_the_warehouse_comes_last_whatever_the_sizes(
    memory: Any, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "_SMALL_BYTES", 10)
    here.work(runs__large="x" * 100, runs__small="x", warehouse_duckdb="0")
    kept = type(memory).get_file
    came: list[str] = []

    def recorded(files: Any, remote: str, *words: Any, **options: Any) -> None:
        came.append(remote.removeprefix(f"{STORED}/"))
        kept(files, remote, *words, **options)

    monkeypatch.setattr(type(memory), "get_file", recorded)
    there.fetch()
    assert came == ["runs/small", "runs/large", "warehouse/00000001.duckdb"]


def test_a_try_of_the_condition_that_takes_too_long_says_nothing(
    memory: Any,
    here: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def slow(files: Any, path: str, content: bytes, mode: str = "overwrite") -> None:
        if mode == "create":
            raise TimeoutError("read timed out")

    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "pipe_file", slow)
        here.work(warehouse_duckdb="0")
    assert not here.copy.folder.read_state().refuses_second
    here.work(warehouse_duckdb="1")
    assert here.copy.folder.read_state().refuses_second
    assert capsys.readouterr().err == ""


def test_a_server_that_passes_over_the_condition_is_named(
    memory: Any,
    here: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = type(memory).pipe_file
    here.work(warehouse_duckdb="0")
    assert capsys.readouterr().err == ""
    (here.copy.folder.path / "state.json").unlink()

    def careless(files: Any, path: str, content: bytes, **_: Any) -> None:
        kept(files, path, content)

    monkeypatch.setattr(type(memory), "pipe_file", careless)
    here.work(warehouse_duckdb="1")
    told = "this server lets the second replace what the first one published"
    assert told in capsys.readouterr().err
