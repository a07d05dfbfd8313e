"""A store is opened by a path or URL, and what work changed in it is sent when that ends."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics.warehouse.connection import reading, writing
from data.errors import StoreError
from data.progress import silent
from data.remote_store.opening import open_store, refreshed_store, sending_back
from data.remote_store.working_copy import COPIES_VARIABLE
from data.store import STORE_VARIABLE, Store
from tests.data.remote_store.machines import URL, Machine, stored


@pytest.fixture(autouse=True)
def copies(memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(COPIES_VARIABLE, str(tmp_path / "copies"))
    yield
    with sending_back():  # forgets what a test has opened
        pass


def opened() -> Store:
    return open_store(Path(URL))


def keep(store: Store, name: str, content: str) -> None:
    file = store.root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def work_that_ends_by(error: BaseException) -> None:
    with sending_back():
        keep(opened(), "runs/a.json", "a")
        raise error


def test_a_folder_is_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert open_store(tmp_path) == Store(tmp_path)
    assert open_store(Path(f"file://{tmp_path}")) == Store(tmp_path)
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "x"))
    assert open_store() == Store(tmp_path / "x")
    monkeypatch.setenv(STORE_VARIABLE, f"file://{tmp_path}/y")
    assert open_store() == refreshed_store(timedelta(0), silent)[0] == Store(tmp_path / "y")
    assert Store(tmp_path).argument == str(Store(tmp_path)) == str(tmp_path)


def test_a_url_is_its_working_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(STORE_VARIABLE, URL)
    store = open_store()
    assert store == opened()
    assert store.root.is_relative_to(tmp_path / "copies")
    assert str(store) == store.argument == URL


def test_work_is_sent_when_it_ends(memory: Any, there: Machine) -> None:
    with sending_back():
        keep(opened(), "runs/a.json", "a")
        assert stored(memory) == []
    there.fetch()
    assert there.files == {"runs/a.json": "a"}


def test_work_that_fails_is_sent_and_fails(memory: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        work_that_ends_by(ZeroDivisionError())
    assert stored(memory) == ["runs/a.json"]


def test_of_work_that_fails_and_is_not_sent_both_is_said(
    memory: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(type(memory), "put_file", None)
    with pytest.raises(ZeroDivisionError):
        work_that_ends_by(ZeroDivisionError())
    told = capsys.readouterr().err
    assert f"store {URL}: found" in told
    assert "what was done is kept in" in told


def test_a_publish_that_is_not_sent_is_tried_and_said_once(
    memory: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries: list[object] = []

    def refuses(_: Any, path: str, *__: Any, **___: Any) -> Any:
        tries.append(path)
        raise OSError("line lost")

    def publishes(*, and_fails: bool) -> None:
        with sending_back():
            store = opened()
            try:
                with writing(store):
                    pass
            except StoreError:
                if not and_fails:
                    raise
                raise ZeroDivisionError from None

    monkeypatch.setattr(type(memory), "put_file", refuses)
    with pytest.raises(StoreError, match=r"found line lost; .*what was done is kept in"):
        publishes(and_fails=False)
    assert capsys.readouterr().err == ""
    assert len(tries) == 1
    # what ends the work for another reason is followed by a try
    with pytest.raises(ZeroDivisionError):
        publishes(and_fails=True)
    assert f"store {URL}: found line lost" in capsys.readouterr().err
    assert len(tries) == 3


def test_work_that_is_stopped_is_sent_by_the_next(
    memory: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        work_that_ends_by(KeyboardInterrupt())
    assert stored(memory) == []
    told = f"store {URL}: not sent; the next command on this store sends it\n"
    assert capsys.readouterr().err == told
    with sending_back():
        opened()
    assert stored(memory) == ["runs/a.json"]


def test_a_warehouse_is_written_upon_the_newest_and_sent_at_once(
    memory: Any, there: Machine
) -> None:
    store = opened()
    with writing(store) as writer:
        writer.connection.execute("CREATE TABLE first_of_this AS SELECT 1 AS x")
    there.fetch()
    with writing(Store(there.root)) as writer:
        writer.connection.execute("CREATE TABLE of_another AS SELECT 2 AS x")
    there.send()
    with writing(store) as writer:
        writer.connection.execute("CREATE TABLE second_of_this AS SELECT 3 AS x")
    there.fetch()
    with reading(Store(there.root)) as connection:
        for number, table in enumerate(("first_of_this", "of_another", "second_of_this"), 1):
            assert connection.execute(f"FROM {table}").fetchall() == [(number,)]
    assert stored(memory) == ["warehouse/00000002.duckdb", "warehouse/00000003.duckdb"]


def test_of_two_that_write_at_once_the_second_is_refused(there: Machine) -> None:
    stack = ExitStack()
    stack.enter_context(writing(opened()))
    there.work(warehouse_duckdb="theirs")
    with pytest.raises(StoreError, match=r"warehouse\.duckdb replaced by another machine"):
        stack.close()


def test_who_may_only_read_is_told_and_no_more(
    memory: Any, there: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*_: Any, **__: Any) -> Any:
        raise PermissionError("Access Denied")

    there.work(runs__a_json="0")
    monkeypatch.setattr(type(memory), "put_file", refuses)
    with sending_back():
        keep(opened(), "audits/audit.json", "x")
        keep(opened(), "runs/a/comparisons/x.json", "x")
    assert f"store {URL}: found Access Denied; expected" in capsys.readouterr().err
    with pytest.raises(StoreError, match="Access Denied"), sending_back():
        keep(opened(), "runs/a.json", "x")


def test_a_process_that_goes_on_looks_again_after_a_time(
    there: Machine, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, URL)
    hour, at_once = timedelta(hours=1), timedelta(0)
    there.work(runs__a_json="0")
    store, fetched, problem = refreshed_store(hour, silent)
    assert problem == ""
    there.work(runs__a_json="1")
    keep(store, "settings/x.json", "x")
    keep(store, "models/m/model.json", "made by a process that sends it itself")
    assert refreshed_store(hour, silent)[1] == fetched
    assert (store.root / "runs" / "a.json").read_text() == "0"
    refreshed_store(at_once, silent)
    assert (store.root / "runs" / "a.json").read_text() == "1"
    assert stored(memory) == ["runs/a.json", "settings/x.json"]
