"""An ingest by one and by two workers of a Ray cluster: `python -m` this.

Of each are printed the seconds from the first rows that a worker sent to the last that were staged,
and the CPU seconds of this process meanwhile and in all: what it does alone bounds any number of
workers. Beside them the CPU seconds that reading takes a worker. An argument sets the number of
records, 40,000 else.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from analytics.cluster.cluster_reading import ClusterReading
from analytics.cluster.log_worker import LogWorker
from analytics.ingest.ingest import ingest
from analytics.ingest.reading import Items, LogReading, NamedLog
from data.cluster.ray_cluster import HERE, WorkerResources, ray_cluster
from data.columnar.blocks import Schemas
from data.logs.line_spans import line_spans
from data.store import Store
from data.terminal import print_table
from tests.bench.ingest.long_log import write_log

RECORDS = 40_000
WORKERS = (1, 2)
ROUNDS = 2


@dataclass
class TimedReading:
    """A reading, when its first rows came and when its last ones were staged."""

    inner: LogReading
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    schemas: list[Schemas] = field(default_factory=list)

    @contextmanager
    def reading(
        self, logs: Sequence[NamedLog], schemas: Schemas, scratch: Path
    ) -> Iterator[Iterator[tuple[NamedLog, Items]]]:
        """As `LogReading.reading`."""
        self.schemas.append(schemas)
        with self.inner.reading(logs, schemas, scratch) as logs_with_items:
            yield self._timed(logs_with_items)

    def _timed(self, logs: Iterator[tuple[NamedLog, Items]]) -> Iterator[tuple[NamedLog, Items]]:
        first = next(logs)
        began, used = time.perf_counter(), time.process_time()
        yield first
        yield from logs
        self.seconds = time.perf_counter() - began
        self.cpu_seconds = time.process_time() - used


def worker_cpu_seconds(log: Path, schemas: Schemas) -> float:
    """What it takes a worker to read a log."""
    worker = LogWorker(schemas, str(Path.cwd()))
    with log.open("rb", buffering=0) as opened:
        spans = [(span, span.sha256()) for span in line_spans(log, opened, 0)]
        began = time.process_time()
        for span, sha256 in spans:
            worker.read_span(span, log.name, sha256)
    return time.process_time() - began


def main(records: int = RECORDS) -> None:
    """Read a log with each number of workers, and keep the least of several rounds."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, ray_cluster(HERE) as cluster:
        log = Path(folder) / "log.jsonl"
        write_log(log, records)
        measured: dict[int, list[tuple[float, float, float, float]]] = {n: [] for n in WORKERS}
        for place in range(ROUNDS):
            for count in WORKERS:
                reading = TimedReading(ClusterReading(cluster, WorkerResources(), count))
                began, used = time.perf_counter(), time.process_time()
                ingest(Store(Path(folder) / f"{count}-{place}"), [log], reading_by=reading)
                whole = time.perf_counter() - began, time.process_time() - used
                measured[count].append((reading.seconds, reading.cpu_seconds, *whole))
        worker = min(worker_cpu_seconds(log, reading.schemas[0]) for _ in range(ROUNDS))
        megabytes = log.stat().st_size / 1e6
    best = {n: [min(column) for column in zip(*runs, strict=True)] for n, runs in measured.items()}
    for count, values in best.items():
        ratio = best[WORKERS[0]][0] / values[0]
        rows.append((count, *(f"{value:.2f}" for value in values), f"{ratio:.2f}"))
    columns = ("workers", "reading s", "CPU s here", "whole s", "CPU s here in all", "times one")
    title = f"{records} records, {megabytes:.0f} MB; of a worker {worker:.2f} CPU s"
    print_table(title, columns, rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
