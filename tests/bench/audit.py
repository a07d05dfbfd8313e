"""Time and memory of `audit` on logs of growing size."""

import multiprocessing
import tempfile
import time
from pathlib import Path

from analytics.audit.audit import audit
from analytics.warehouse.connection import reading
from data.store import Store
from data.terminal import print_table
from tests.bench.long_logs import fill_warehouse
from tests.bench.peak_memory import peak_mebibytes

SIZES = (1_000, 10_000, 100_000)


def _audit(root: Path, queue: "multiprocessing.Queue[tuple[float, float, int, int]]") -> None:
    start = time.process_time()
    with reading(Store(root)) as connection:
        report = audit(connection)
    seconds = time.process_time() - start
    peak = peak_mebibytes()
    queue.put((seconds, peak, sum(report.checked.values()), len(report.mismatches)))


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print seconds and peak memory by size of the log."""
    rows, before = [], 0.0
    context = multiprocessing.get_context("spawn")
    for challenges in (100, *sizes):  # the first one compiles
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            fill_warehouse(store, challenges)
            queue: multiprocessing.Queue[tuple[float, float, int, int]] = context.Queue()
            process = context.Process(target=_audit, args=(store.root, queue))
            process.start()
            seconds, peak, checked, wrong = queue.get()
            process.join()
        growth = f"{seconds / before:.1f}" if before else "–"
        rows.append((challenges, checked, wrong, seconds, growth, peak))
        before = seconds
    print_table(
        "audit, seconds of processor time",
        ("challenges", "checked", "wrong", "s", "x the line above", "peak MiB"),
        rows,
    )


if __name__ == "__main__":
    main()
