"""The memory of a replay is that of two parts' images and of the plan, however long it is."""

import multiprocessing
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.sources.shards import Shards
from data.store import Store
from replay.candidates.predictor import Batch, Predictions
from replay.plans.plan import plan
from replay.runs.planned_run import PlannedRun
from replay.runs.run import Replay
from replay.settings import VariantSettings
from tests.worlds.stores import World, encoded, level_1, picture, write_shard

SHORT, LONG = 300, 3000
MOST_GROWTH = 40 * 2**20
"""Of the longer run: 2,700 challenges of the plan, in records and DuckDB, of about 2 KB each, and
what the allocator keeps; its images alone are 1.6 GB decoded."""


class Bright:
    name, fingerprint, wants_metadata = "bright", "1", False

    def predict(self, batch: Batch) -> Predictions:
        return Predictions(np.array([image.mean() / 255 for image in batch.images]))


def run(root: Path, count: int, record: dict[str, Any], peaks: Any) -> None:
    world = World(Store(root), record)
    write_shard(world.store.sources, [encoded(picture((320, 240), seed=k)) for k in range(4)])
    for k in range(count):
        # every image another one
        angle = k / count * 20
        world.ask(k % 4, **{**level_1(angle, [0, k % 100, 100, 100]), "data_aug_level": 3})
    shards = Shards(world.store.sources)
    planned = plan(world.ingest(), shards, VariantSettings(4))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = Replay(world.store, Bright(), PlannedRun(planned, shards)).run()
    assert report.images == 4 * count
    peaks.put((before * 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


@pytest.mark.slow
def test_ten_times_the_challenges_take_hardly_more_memory(
    tmp_path: Path, record: dict[str, Any]
) -> None:
    context = multiprocessing.get_context("spawn")
    grown = {}
    for count in (SHORT, LONG):
        peaks = context.Queue()
        child = context.Process(target=run, args=(tmp_path / str(count), count, record, peaks))
        child.start()
        before, after = peaks.get(timeout=1800)
        child.join()
        grown[count] = after - before
    assert grown[LONG] - grown[SHORT] < MOST_GROWTH, grown
