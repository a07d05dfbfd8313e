"""What one machine sends another one fetches."""

from pathlib import Path
from typing import Any

import pytest

from data.remote_store import transfers
from data.remote_store.working_copy import COPIES_VARIABLE, working_copy
from tests.data.remote_store.machines import STORED, URL, Machine, stored


def test_what_was_sent_is_fetched_elsewhere(memory: Any, here: Machine, there: Machine) -> None:
    here.fetch()
    assert here.files == {}
    files = {
        "warehouse.duckdb": "rows",
        "runs/replay-1/run.json": "{}",
        "runs/replay-1/parts/part-00000.parquet": "part",
        "models/first/model.json": "model",
        "settings/last-visits.json": "visit",
        "audits/audit.json": "audit",
        "miners/kept.json": "miners",
    }
    for name, content in files.items():
        here.write(name, content)
    here.send()
    there.fetch()
    assert there.files == files
    assert "warehouse/00000001.duckdb" in stored(memory)
    here.fetch()
    assert here.files == files


def test_what_is_of_one_machine_stays_there(memory: Any, here: Machine) -> None:
    here.fetch()
    for name in (
        "cache/order.parquet",
        "scratch/x",
        "unpacked/1/x.json",
        "downloads/wandb/run/x.json",
        "logs/demo.jsonl",
        "sources/train.parquet",
        "warehouse.lock",
        "warehouse.duckdb.wal",
        "warehouse.aside.duckdb",
        "models/champion.lock",
        "models/.champion.json.7.aside",
        "models/background/start.lock",
        "models/background/20260101T101112131415-ab12cd/process.json",
        "runs/replay-1/comparisons/ab12/start.lock",
        "runs/replay-1/comparisons/ab12/20260101T101112131415-ab12cd/log.txt",
        "runs/replay-1/parts.77.old/part-00000.parquet",
        "runs/replay-1/comparisons/ab12.json",
    ):
        here.write(name, name)
    here.send()
    assert stored(memory) == ["runs/replay-1/comparisons/ab12.json"]


def test_names_of_a_server_lead_nowhere_else(memory: Any, here: Machine, tmp_path: Path) -> None:
    for name in ("runs/../../../out", "runs//out", "runs/.hidden", "out", "runs/a\\..\\b"):
        memory.store[f"{STORED}/{name}"] = memory_file(memory, b"x")
    here.fetch()
    assert here.files == {}
    assert not (tmp_path / "out").exists()


def test_starts_that_were_copied_there_stay_there(memory: Any, here: Machine) -> None:
    """`aws s3 sync` of a store takes the folders of processes that a page started along."""
    start = "models/background/20260101T101112131415-ab12cd/process.json"
    for name in ("models/background/start.lock", start, "models/first/model.json"):
        memory.pipe(f"{STORED}/{name}", b"x")
    for _ in range(2):
        here.fetch()
        assert here.files == {"models/first/model.json": "x"}
        here.write(start, "of this machine")
        here.send()
        (here.root / start).unlink()
    assert memory.cat(f"{STORED}/{start}") == b"x"


def memory_file(memory: Any, content: bytes) -> Any:
    memory.pipe("/else/x", content)
    return memory.store["/else/x"]


def test_only_what_changed_moves(
    here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.work(warehouse_duckdb="1", runs__a_json="a", runs__b_json="b")
    there.fetch()
    moved: list[str] = []
    for way in ("get_files", "put_files"):
        kept = getattr(transfers, way)

        def counted(place: Any, files: Any, *rest: Any, kept: Any = kept) -> None:
            moved.extend(file.remote.removeprefix(f"{STORED}/") for file in files)
            kept(place, files, *rest)

        for module in ("fetching", "sending"):
            monkeypatch.setattr(f"data.remote_store.{module}.{way}", counted, raising=False)
    here.work()
    assert moved == []
    here.work(runs__b_json="c")
    assert moved == ["runs/b.json"]
    there.fetch()
    assert moved == ["runs/b.json"] * 2
    assert there.read("runs/b.json") == "c"


def test_a_folder_that_was_copied_there_is_a_store(memory: Any, here: Machine) -> None:
    memory.pipe(f"{STORED}/warehouse.duckdb", b"0")
    memory.pipe(f"{STORED}/sources/train.parquet", b"PAR1")
    here.fetch()
    store = here.copy.store
    assert here.files == {"warehouse.duckdb": "0"}
    assert str(store.sources_place) == f"{URL}/sources"
    assert store.training_place == store.root / "training"
    here.work(warehouse_duckdb="1")
    assert "warehouse/00000001.duckdb" in stored(memory)
    here.work()
    assert here.read("warehouse.duckdb") == "1"


def test_large_files_move_with_a_report_of_their_bytes(
    here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "_SMALL_BYTES", 10)
    monkeypatch.setattr(transfers, "_SHOWN_BYTES", 20)
    here.fetch()
    here.write("runs/large", "x" * 1000)
    here.write("runs/small", "x")
    here.send()
    done: list[int] = []

    class Shown:
        def __enter__(self) -> Any:
            return lambda more=1, status="": done.append(more)

        def __exit__(self, *_: object) -> None:
            return None

    there.copy.fetch(lambda label, total: Shown())
    assert sum(done) == 1001
    assert there.files == here.files


def test_copies_of_two_urls_differ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(COPIES_VARIABLE, str(tmp_path))
    first, second = (working_copy(url).store.root for url in ("memory://a/b-c", "memory://a-b/c"))
    assert first != second
    assert first.is_relative_to(tmp_path)
    assert working_copy("memory://a/b-c/").store.root == first
    monkeypatch.delenv(COPIES_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert working_copy(URL).store.root.is_relative_to(tmp_path / "cache" / "streetreplay")
