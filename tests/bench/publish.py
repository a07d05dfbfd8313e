"""Publishing a long replay, 12 gates an image: `python -m tests.bench.publish` prints JSON.

An argument sets the number of challenges, 1,000,000 else; a tenth is published before.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.store import Store
from model.baselines.orange import OrangeBaseline
from replay.answering.part_file import PART_SCHEMA
from replay.candidates.description import describe
from replay.runs.publish import publish
from replay.runs.run_folder import RunFolder
from replay.runs.run_lock import lock_run
from tests.bench.peak_memory import peak_mebibytes

CHALLENGES = 1_000_000
_PART, _GATES = 64, 12
# possible images of a challenge by its level, 6.5 on the mean
_IMAGES = np.array([1, 1, 8, 16])


def write_parts(run: RunFolder, challenges: int) -> int:
    """Write the parts of a run as a replay does; returns how many."""
    rng = np.random.default_rng(0)
    run.part(0).parent.mkdir(parents=True)
    parts = range(0, challenges, _PART)
    for index, first in enumerate(parts):
        numbers = np.arange(first, min(first + _PART, challenges))
        images = _IMAGES[numbers % len(_IMAGES)]
        size = int(images.sum())
        ends = np.cumsum(images)
        gates = pa.array(rng.random(size * _GATES, np.float32))
        columns = [
            pa.array([f"{number:016x}" for number in numbers]).take(
                pa.array(np.repeat(np.arange(len(numbers)), images))
            ),
            pa.array(np.where(np.repeat(images, images) == 1, "exact", "distribution")),
            pa.nulls(size, pa.string()),
            pa.array((np.arange(size) - np.repeat(ends - images, images)).astype(np.int16)),
            pa.array(np.repeat(1 / images, images)),
            pa.array(np.zeros(size, bool)),
            pa.array(rng.random(size)),
            pa.ListArray.from_arrays(
                np.arange(0, size * _GATES + 1, _GATES, dtype=np.int32), gates
            ),
        ]
        pq.write_table(pa.table(columns, schema=PART_SCHEMA), run.part(index))
    return len(parts)


def _published(challenges: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        path = store.runs / "replay-bench"
        path.mkdir(parents=True)
        run = RunFolder(path.name, path, lock_run(path))
        parts = write_parts(run, challenges)
        run.write_description({}, {}, "float32")
        predictor = describe(OrangeBaseline())
        started, held = time.perf_counter(), peak_mebibytes()
        report = publish(store, run, predictor, parts)
        return {
            "challenges": report.predicted,
            "images": report.images,
            "seconds": round(time.perf_counter() - started, 1),
            "mebibytes": round(peak_mebibytes()),
            "mebibytes_before": round(held),
        }


def main(challenges: int = CHALLENGES) -> None:
    """Publish a tenth, then all, each in a process of its own."""
    reports = []
    for size in (challenges // 10, challenges):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            reports.append(pool.submit(_published, size).result())
    tenth, whole = reports
    times = round(whole["seconds"] / tenth["seconds"], 2)
    print(json.dumps({"tenth": tenth, "whole": whole, "times_the_time": times}, indent=2))  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
