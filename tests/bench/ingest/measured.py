"""Time and memory of an ingest and of a bare scan, each in a process of its own."""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import duckdb

from analytics.ingest.ingest import ingest
from data.store import Store
from tests.bench.peak_memory import peak_mebibytes

THREADS = 2
"""Of DuckDB's bare scan."""


@dataclass(frozen=True)
class Measured:
    """What some work took, without the start of its process.

    `cpu_seconds` are those of its own processes too; `mebibytes` the most that it held itself.
    """

    seconds: float
    cpu_seconds: float
    mebibytes: float
    records: int


def ingested(log: Path, store: Path) -> Measured:
    """Read a log into a store, written and published."""
    return _alone(_ingest, log, store)


def scanned(log: Path) -> Measured:
    """Let DuckDB read every value of a log of JSON lines, and keep none."""
    return _alone(_scan, log, log)


def _alone(work: object, *paths: Path) -> Measured:
    # not a Pool, whose processes may have none of their own
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return Measured(*pool.submit(_timed, work, *paths).result())


def _timed(work: object, *paths: Path) -> tuple[float, float, float, int]:
    started, used = time.perf_counter(), sum(os.times()[:4])
    records = work(*paths)  # type: ignore[operator]
    seconds = time.perf_counter() - started
    return seconds, sum(os.times()[:4]) - used, peak_mebibytes(), records


def _ingest(log: Path, store: Path) -> int:
    return ingest(Store(store), [log]).challenges_new


def _scan(log: Path, _: Path) -> int:
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute("SET enable_progress_bar = false")
        relation = connection.read_json(str(log), format="newline_delimited")
        counts = ", ".join(f'count("{column}")' for column in relation.columns)
        rows = relation.aggregate(f"count(*), {counts}").fetchall()
    return int(rows[0][0])


def as_json(measured: Measured) -> dict[str, float]:
    """Rounded, for a report."""
    return {name: round(value, 3) for name, value in asdict(measured).items()}
