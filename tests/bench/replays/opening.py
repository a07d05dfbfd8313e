"""Opening a long replay: its plan, run id, parts, counts and what is left to do, in JSON.

`python -m tests.bench.replays.opening [CHALLENGES]`: so many challenges, or 1,000,000, and a tenth.
"Opened" has nothing done yet, "again" all parts. Then the plans alone of `render`, which is in the
order of the log, and of `replay` with options that need that order: "found" where no order is kept,
and "kept". On a busy machine read the CPU seconds. Memory is what the process grows by: imports and
compiled loops, which any replay needs, are there before.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.queries.challenges import ChallengeSelection
from data.store import Store
from data.terminal import print_json
from model.baselines.orange import OrangeBaseline
from replay.answering.part_file import PART_SCHEMA
from replay.candidates.description import describe
from replay.plans.parts import Parts
from replay.plans.plan import Plan
from replay.plans.store_plan import plan_of_store
from replay.rebuilding.variants import STRONG_LEVEL, sampled_variants
from replay.runs.open_run import OpenRun
from replay.runs.planned_run import PlannedRun
from replay.settings import ReplaySettings, VariantSettings
from tests.bench.dashboards.million_challenges import IMAGES, fill_warehouse
from tests.bench.peak_memory import peak_mebibytes

CHALLENGES = 1_000_000

Result = TypeVar("Result")
_SHARDS = 7
_RUN = "bench1"
"""The second of the logged runs that `fill_warehouse` makes, of 50,000 challenges each."""


def make_store(root: Path, challenges: int) -> None:
    """A warehouse, and shards with as many rows as its challenges name, without images."""
    store = Store(root)
    fill_warehouse(store, challenges)
    store.sources.mkdir(parents=True)
    rows = pa.table({"image": [b"\xff\xd8"] * IMAGES})
    for shard in range(_SHARDS):
        pq.write_table(rows, store.sources / f"train-{shard:05d}-of-{_SHARDS:05d}.parquet")


def open_replay(root: Path) -> dict[str, float]:
    """Seconds of each step, as the command `replay` takes them, and memory."""
    store = Store(root)
    sampled_variants(STRONG_LEVEL, "0", VariantSettings())
    before, cpu, started = peak_mebibytes(), time.process_time(), time.perf_counter()
    plan, shards = plan_of_store(
        store, None, ChallengeSelection(), VariantSettings(), ordered=False
    )
    planned = time.perf_counter()
    opened_run = OpenRun(store, describe(OrangeBaseline()), PlannedRun(plan, shards))
    plan.counts()
    opened = time.perf_counter()
    return {
        "challenges": len(plan),
        "left": len(plan) - opened_run.done_before,
        "plan_s": round(planned - started, 2),
        "opened_s": round(opened - planned, 2),
        "seconds": round(opened - started, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "mebibytes": round(peak_mebibytes() - before),
        "mebibytes_before": round(before),
    }


def plan_in_order(root: Path, selection: ChallengeSelection) -> dict[str, float]:
    """Seconds and memory of a plan in the order of the log; of all that is selected as columns."""
    store = Store(root)
    sampled_variants(STRONG_LEVEL, "0", VariantSettings())
    before, cpu, started = peak_mebibytes(), time.process_time(), time.perf_counter()
    plan, _ = plan_of_store(store, None, selection, VariantSettings())
    plan.counts()
    return {
        "challenges": len(plan),
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "mebibytes": round(peak_mebibytes() - before),
    }


def selections(challenges: int) -> dict[str, ChallengeSelection]:
    """By command and option."""
    return {
        "render": ChallengeSelection(),
        "--limit": ChallengeSelection(limit=challenges // 2),
        "--validator": ChallengeSelection(validator="life-1"),
        "--log-run": ChallengeSelection(run=_RUN),
    }


def finish(root: Path) -> None:
    """Write every part of the run that was opened, as far as its opening reads it."""
    store = Store(root)
    plan, _ = plan_of_store(store, None, ChallengeSelection(), VariantSettings(), ordered=False)
    parts = Parts(plan, ReplaySettings())
    (folder,) = store.runs.glob("replay-*/parts")
    for index in range(parts.part_count):
        unanswered = _without_images(plan, parts, index)
        part = store.root / f"{unanswered}.parquet"
        if not part.exists():
            pq.write_table(_part(unanswered), part)
        (folder / f"part-{index:05d}.parquet").hardlink_to(part)


def _without_images(plan: Plan, parts: Parts, index: int) -> int:
    return int(np.count_nonzero(plan.image_counts[parts.positions(index)] == 0))


def _part(unanswered: int) -> pa.Table:
    rows = [{"challenge_id": "0", "probability": None}] * unanswered
    answered = [{"challenge_id": "1", "probability": 0.5, "gates": [0.5] * 12}] * 400
    return pa.Table.from_pylist([*rows, *answered], schema=PART_SCHEMA)


def _in_a_process(work: Callable[..., Result], *arguments: object) -> Result:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def measure(challenges: int) -> dict[str, dict[str, float]]:
    """Each way to open a replay of so many challenges, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _in_a_process(make_store, root, challenges)
        measured = {"opened": _in_a_process(open_replay, root)}
        _in_a_process(finish, root)
        measured["again"] = _in_a_process(open_replay, root)
        for option, selection in selections(challenges).items():
            Store(root).order.unlink(missing_ok=True)
            for order in ("found", "kept"):
                measured[f"{option}, order {order}"] = _in_a_process(plan_in_order, root, selection)
        return measured


def main(challenges: int = CHALLENGES) -> None:
    """Measure a tenth, then all."""
    tenth, whole = measure(challenges // 10), measure(challenges)
    for name, row in whole.items():
        times = {key: round(row[key] / tenth[name][key], 2) for key in ("seconds", "cpu_s")}
        print_json({name: {"tenth": tenth[name], "whole": row, "times_a_tenth": times}})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
