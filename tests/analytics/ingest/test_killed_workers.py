"""Reading processes that are killed, by a person or by a system short of memory: all or nothing."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.ingest.settings import IngestSettings
from analytics.queries.user_sql import query
from data.errors import RunError
from data.progress import Report
from data.store import Store
from tests.conftest import ROOT

SAMPLE = ROOT / "data" / "sample" / "media_record.json"
PARALLEL = IngestSettings(processes=2, process_megabytes=0)
# more than two processes read ahead
RECORDS = 14_000


def write_long_log(path: Path, records: list[dict[str, Any]]) -> None:
    """Write a log of about 60 MB in which no two records are equal."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(RECORDS):
            record = records[number % len(records)]
            path_of_image = {"path": f"{number}/{record['path']}"}
            file.write(json.dumps(record | path_of_image) + "\n")


class Killer:
    """Progress of an ingest that kills a process of it once a share of the bytes is read."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.killed: int | None = None
        self._done = 0

    @contextmanager
    def __call__(self, _label: str, total: int) -> Iterator[Report]:
        def report(done: int = 1, status: str = "") -> None:
            self._done += done
            if self.killed is None and self._done >= self.share * total:
                for process in active_children():
                    self.killed = process.pid
                    os.kill(process.pid or 0, signal.SIGKILL)
                    break

        yield report


@pytest.mark.parametrize("share", [0.0, 0.8], ids=["at its start", "at its work"])
def test_an_ingest_of_which_a_process_is_killed_leaves_the_old_store_and_can_be_done_again(
    tmp_path: Path, store: Store, e7: list[dict[str, Any]], share: float
) -> None:
    log = tmp_path / "long.jsonl"
    write_long_log(log, e7)
    ingest(store, [SAMPLE])
    before, content = sorted(store.root.rglob("*")), store.warehouse.read_bytes()

    killer = Killer(share)
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
