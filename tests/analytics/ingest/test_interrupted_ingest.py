"""Ingests that are killed, run at once, or publish under readers: all or nothing.

Killed whole, by a person, or one process of them, by a system that is short of memory.
"""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.ingest.ingest import ingest
from analytics.ingest.settings import IngestSettings
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from data.errors import RunError
from data.progress import Report
from data.store import Store
from tests.conftest import ROOT
from tests.worlds.commands_in_forks import run, start

HELD = (
    "SELECT challenge_id, file, position, label, era FROM media ORDER BY ALL",
    "SELECT challenge_id, slot, uid, hotkey, prediction, reward FROM responses ORDER BY ALL",
    "SELECT file, path, sha256 FROM logs ORDER BY ALL",
    "SELECT * FROM rejects ORDER BY ALL",
)
BEFORE, NEW = 60, 400
SAMPLE = ROOT / "data" / "sample" / "media_record.json"
PARALLEL = IngestSettings(processes=2, process_megabytes=0)
# more than two processes read ahead
RECORDS = 14_000


def held(store: Store) -> list[list[Any]]:
    return [query(store, sql).rows for sql in HELD]


def challenges(store: Store) -> int:
    [(count,)] = query(store, "SELECT count(*) FROM media").rows
    return int(count)


def seconds_of(words: list[str | Path], folder: Path) -> float:
    """The seconds that a command takes, once it has started, to its end without an error."""
    command = start(words, folder)
    clock = time.monotonic()
    assert command.wait() == 0, command.errors
    return time.monotonic() - clock


def kill_at_random_moments(tmp_path: Path, golden: Path, kills: int) -> int:
    """Kill as many ingests, each of a store of its own, and finish it; how many were cut short."""
    first, log = golden / "e9" / "challenges.jsonl", golden / "e7" / "challenges.jsonl"
    begun, whole = Store(tmp_path / "begun"), Store(tmp_path / "whole")
    ingest(begun, [first])
    shutil.copytree(begun.root, whole.root)
    random = np.random.default_rng(4)
    words: list[str | Path] = ["ingest", log, "--store"]
    # the first fork waits for what all are forks of, so its time says nothing
    assert run([*words, whole.root], tmp_path / "start").wait() == 0
    lasted = seconds_of([*words, tmp_path / "timed"], tmp_path / "timing")
    expected, cut_short = held(whole), 0
    for number in range(kills):
        store = Store(tmp_path / f"store {number}")
        shutil.copytree(begun.root, store.root)
        command = start([*words, store.root], tmp_path / f"{number}-first")
        time.sleep(random.uniform(0, 1) * lasted)
        if command.process.exitcode is None:
            command.signal(signal.SIGKILL, group=True)
        was_killed = command.wait() == -signal.SIGKILL
        cut_short += was_killed
        assert challenges(store) in ((BEFORE, BEFORE + NEW) if was_killed else (BEFORE + NEW,))
        seconds = seconds_of([*words, store.root], tmp_path / f"{number}-second")
        lasted = seconds if was_killed else lasted  # other work on this machine comes and goes
        assert held(store) == expected
        assert not [path for path in store.root.rglob("*") if "aside" in path.name]
        shutil.rmtree(store.root)
    return cut_short


def test_an_ingest_that_is_killed_leaves_the_old_store_and_can_be_done_again(
    tmp_path: Path, golden: Path
) -> None:
    kill_at_random_moments(tmp_path, golden, 5)


@pytest.mark.slow
def test_fifty_kills_at_random_moments_lose_nothing(tmp_path: Path, golden: Path) -> None:
    assert kill_at_random_moments(tmp_path, golden, 50) >= 30


class Repeated(threading.Thread):
    """Does something again and again until it is stopped, or fails with `problem`."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__()
        self.problem: BaseException | None = None
        self._action = action
        self._stopped = threading.Event()
        self.start()

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._action()
        except BaseException as error:  # noqa: BLE001  (told by the main thread)
            self.problem = error

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def test_readers_see_each_publish_whole(store: Store, tmp_path: Path, e7: list[Any]) -> None:
    publishes, of_each = 10, 40
    counts = "SELECT count(*), (SELECT count(*) FROM responses) FROM media"
    seen: list[tuple[int, int]] = []
    sizes_seen: set[int] = set()
    logs = []
    for number in range(publishes + 1):
        logs.append(tmp_path / f"{number}.jsonl")
        of_log = e7[number * 36 : number * 36 + of_each]
        logs[-1].write_text("".join(json.dumps(one) + "\n" for one in of_log), encoding="utf-8")

    def read() -> None:
        with reading(store) as connection:
            seen.extend(connection.execute(counts).fetchall())

    ingest(store, [logs[0]])
    published, sizes = [(of_each, 10 * of_each)], {store.warehouse.stat().st_size}
    loops = [Repeated(read), Repeated(lambda: sizes_seen.add(store.warehouse.stat().st_size))]
    for number in range(1, publishes + 1):
        with reading(store) as opened_before:
            ingest(store, [logs[number]])
            # what was opened stays what it was
            assert opened_before.execute(counts).fetchall() == published[-1:]
        published.append((of_each + 36 * number, 10 * (of_each + 36 * number)))
        sizes.add(store.warehouse.stat().st_size)
    for loop in loops:
        loop.stop()

    assert [loop.problem for loop in loops] == [None, None]
    assert seen == sorted(seen)
    assert set(seen) <= set(published)
    assert sizes_seen <= sizes


def test_two_ingests_at_once_wait_for_each_other(tmp_path: Path, golden: Path) -> None:
    store = Store(tmp_path / "store")
    logs = [golden / era / "challenges.jsonl" for era in ("e7", "e9")]
    commands = [
        start(["ingest", log, "--store", store.root], tmp_path / log.parent.name) for log in logs
    ]

    assert [command.wait() for command in commands] == [0, 0]
    assert challenges(store) == BEFORE + NEW


def write_long_log(path: Path, records: list[dict[str, Any]]) -> None:
    """Write a log of about 60 MB in which no two records are equal."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(RECORDS):
            record = records[number % len(records)]
            path_of_image = {"path": f"{number}/{record['path']}"}
            file.write(json.dumps(record | path_of_image) + "\n")


class Killer:
    """Progress of an ingest that kills a process of it: as it starts, or after the first block."""

    def __init__(self, *, at_its_start: bool) -> None:
        self._at_its_start = at_its_start
        self.killed: int | None = None

    @contextmanager
    def __call__(self, _label: str, _total: int) -> Iterator[Report]:
        def report(done: int = 1, status: str = "") -> None:
            if self.killed is None and not self._at_its_start:
                self._kill(active_children()[0])

        if self._at_its_start:
            threading.Thread(target=self._kill_the_first, daemon=True).start()
        yield report

    def _kill_the_first(self) -> None:
        while not (children := active_children()):
            time.sleep(0.01)
        self._kill(children[0])

    def _kill(self, process: BaseProcess) -> None:
        self.killed = process.pid
        os.kill(process.pid or 0, signal.SIGKILL)


@pytest.mark.parametrize("at_its_start", [True, False], ids=["at its start", "at its work"])
def test_an_ingest_of_which_a_process_is_killed_leaves_the_old_store_and_can_be_done_again(
    tmp_path: Path, store: Store, e7: list[dict[str, Any]], at_its_start: bool
) -> None:
    log = tmp_path / "long.jsonl"
    write_long_log(log, e7)
    ingest(store, [SAMPLE])
    before, content = sorted(store.root.rglob("*")), store.warehouse.read_bytes()

    killer = Killer(at_its_start=at_its_start)
    with pytest.raises(RunError) as told:
        ingest(store, [log], killer, PARALLEL)
    assert killer.killed
    assert str(told.value) == (
        "reading a log in several processes: found a worker process that died, perhaps for want of "
        "memory; expected processes that work to the end; free some memory, then try again"
    )
    assert store.warehouse.read_bytes() == content
    assert sorted(store.root.rglob("*")) == before
    assert active_children() == []

    assert ingest(store, [log], settings=PARALLEL).challenges_new == RECORDS
    counts = "count(*), count(DISTINCT challenge_id), count(DISTINCT (file, position))"
    held = query(store, f"SELECT {counts} FROM media")  # noqa: S608
    assert held.rows == [(RECORDS + 1,) * 3]
    (answers,) = query(store, "SELECT count(*) FROM responses").rows
    of_sample = len(json.loads(SAMPLE.read_text())["predictions"])
    assert answers == (
        sum(len(e7[k % len(e7)]["predictions"]) for k in range(RECORDS)) + of_sample,
    )
