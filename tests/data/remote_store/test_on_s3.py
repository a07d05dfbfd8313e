"""What servers decide: S3's conditions for files that are new or as they were, of any size."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.errors import StoreError
from data.remote_store.place import CHUNK_BYTES, StorePlace, store_place
from tests.data.remote_store.machines import Machine
from tests.data.sources.s3_server import S3Server, environment, s3_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        server.put(tmp_path_factory.mktemp("nothing"), "stores/of/all")
        yield server


@pytest.fixture
def place(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorePlace:
    for name, value in environment(server.port).items():
        monkeypatch.setenv(name, str(value))
    return store_place(f"s3://stores/{tmp_path.name}")


@pytest.mark.parametrize(
    ("name", "size"),
    [("warehouse.duckdb", 10), ("warehouse.duckdb", 3 * CHUNK_BYTES), ("models/champion.json", 10)],
)
def test_of_two_that_saw_the_same_only_one_is_taken(
    place: StorePlace, tmp_path: Path, name: str, size: int
) -> None:
    """The second one looks before the first one sends, so the server has to refuse it."""
    first, second = (Machine(tmp_path / folder, place) for folder in ("first", "second"))
    for content in (os.urandom(size) for _ in range(2)):  # a new file, then one that replaces it
        for machine in (first, second):
            machine.fetch()
        first.write(name, content)
        second.write(name, bytes(size))
        put = place.files.put_file

        def after_the_first(*words: Any, put: Any = put, **options: Any) -> None:
            place.files.put_file = put
            first.send()
            put(*words, **options)

        place.files.put_file = after_the_first
        with pytest.raises(StoreError, match=f"{name} replaced by another machine meanwhile"):
            second.send()
        second.fetch()
        assert (second.root / name).read_bytes() == content


def test_what_was_sent_and_not_noted_is_known_again(place: StorePlace, tmp_path: Path) -> None:
    machine, other = Machine(tmp_path / "a", place), Machine(tmp_path / "b", place)
    machine.fetch()
    for name, size in (("warehouse.duckdb", 3 * CHUNK_BYTES), ("runs/a.json", 5), ("models/m", 5)):
        machine.write(name, os.urandom(size))
    machine.send()
    (machine.copy.folder.path / "state.json").unlink()
    machine.fetch()
    assert not machine.copy.has_unsent
    other.fetch()
    for name in ("warehouse.duckdb", "runs/a.json", "models/m"):
        assert (other.root / name).read_bytes() == (machine.root / name).read_bytes()


def test_names_are_neither_patterns_nor_folders(place: StorePlace, tmp_path: Path) -> None:
    machine, other = Machine(tmp_path / "a", place), Machine(tmp_path / "b", place)
    machine.fetch()
    for name in ("a[bc]", "ab", "ac", "a*"):
        machine.write(f"models/{name}/w.bin", name)
    machine.write("warehouse.duckdb", "0")
    machine.send()
    assert machine.copy.folder.read_state().refuses_second
    for name in ("a[bc]", "a*"):
        (machine.root / "models" / name / "w.bin").unlink()
    machine.send()
    for name in ("runs/a", "runs/a/b", "runs/folder/"):
        place.files.pipe_file(place.of(name), b"" if name.endswith("/") else b"x")
    other.fetch()
    kept = {"models/ab/w.bin": "ab", "models/ac/w.bin": "ac", "warehouse.duckdb": "0"}
    assert other.files == kept | {"runs/a/b": "x"}
    machine.fetch()
    assert machine.files == other.files
