"""How far a replay's rebuilding and its candidate's device work at the same time, without a GPU.

The candidate answers after the time that a device would take: a wait in which this process and its
rebuilding ones have the cores. It is as slow as rebuilding, half and twice as slow; once as a
candidate is that waits for its device (`predict`), once as one that does not (`begin_predict`).

Efficiency is the larger of rebuilding alone and the device alone, divided by the time of both.
Processes have started before anything is timed. `python -m tests.bench.replays.overlap [ROUNDS]`.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path

import numpy as np

from analytics.queries.challenges import ChallengeSelection
from data.machine.processes import cores
from data.terminal import print_table
from replay.answering.image_workers import ImageBuilder, image_builder
from replay.answering.part_pipeline import answers
from replay.answering.part_predictor import PartPredictor
from replay.candidates.description import describe
from replay.candidates.predictor import Batch, Predictions, Predictor
from replay.plans.store_plan import plan_of_store
from replay.rebuilding.image_keys import ImageKeys
from replay.runs.open_run import OpenRun
from replay.runs.planned_run import PlannedRun
from replay.settings import ReplaySettings, VariantSettings
from tests.bench.simulated_log import SimulatedLog, simulate_log

SCENES, CHALLENGES = 20, 240
RATIOS = (0.5, 1.0, 2.0)
"""Seconds of the device for a second of rebuilding."""
ROUNDS = 3
# smaller parts than a user has: so many as in a long replay
SETTINGS = ReplaySettings(challenges=8)


@dataclass
class Waiting:
    """A candidate that has looked at all images, and answers when its device would have."""

    seconds_an_image: float
    name: str = "waiting"
    fingerprint: str = "1"
    wants_metadata: bool = False

    def predict(self, batch: Batch) -> Predictions:
        """The answers, after the wait."""
        return self._compute(self._means(batch))

    def _means(self, batch: Batch) -> list[float]:
        return [float(image[0, 0, 0]) / 255 for image in batch.images]

    def _compute(self, means: list[float]) -> Predictions:
        time.sleep(self.seconds_an_image * len(means))
        return Predictions(np.array(means))


@dataclass
class Begun(Waiting):
    """One that goes on while its device, a thread that waits, works through what it was given."""

    device: ThreadPoolExecutor | None = None

    def begin_predict(self, batch: Batch) -> Future[Predictions]:
        """What will be the answers."""
        if self.device is None:
            self.device = ThreadPoolExecutor(1)
        return self.device.submit(self._compute, self._means(batch))


@dataclass(frozen=True)
class Measured:
    """Seconds of rebuilding alone, of the device alone, and of both; `used` of this core."""

    rebuild: float
    device: float
    both: float
    used: float

    @property
    def sum(self) -> float:
        """What both would take one after the other."""
        return self.rebuild + self.device

    @property
    def efficiency(self) -> float:
        """1 where the slower of the two never waits."""
        return max(self.rebuild, self.device) / self.both


@contextmanager
def started_processes(log: SimulatedLog, workers: int) -> Iterator[ImageBuilder]:
    """What builds images, after each process has built some."""
    with image_builder(log.shards, SETTINGS.seed, workers) as build:
        images = [(item, variant) for item in log.planned for variant in item.variants]
        for step in range(2 * workers):
            build(images[step::50]).image(0)
        yield build


def seconds(log: SimulatedLog, build: ImageBuilder, candidate: Predictor) -> tuple[float, float]:
    """Seconds of all parts, written, and of this process's core meanwhile."""
    keys = ImageKeys(log.shards, SETTINGS.seed, SETTINGS.arithmetic)
    described = describe(candidate)
    planned = PlannedRun(log.planned, log.shards, SETTINGS, fresh=True)
    with OpenRun(log.store, described, planned) as opened:
        start, used = time.perf_counter(), time.process_time()
        for answer in answers(opened.work(), build, PartPredictor(candidate, keys)):
            opened.keep(answer)
        return time.perf_counter() - start, time.process_time() - used


def all_levels(root: Path, scenes: int = SCENES, challenges: int = CHALLENGES) -> SimulatedLog:
    """Challenges of a simulated log with the variants that a user's replay has."""
    log = simulate_log(root, scenes, challenges)
    planned, shards = plan_of_store(
        log.store, None, ChallengeSelection(), VariantSettings(), ordered=False
    )
    return SimulatedLog(log.store, planned, shards)


def measured(log: SimulatedLog, build: ImageBuilder, ratio: float, kind: type[Waiting]) -> Measured:
    """Rebuilding alone, and at once thereafter with the device: what else runs here meets both."""
    images = int(log.planned.image_counts.sum())
    rebuild, used = seconds(log, build, Waiting(0))
    both, _ = seconds(log, build, kind(ratio * rebuild / images))
    return Measured(rebuild, ratio * rebuild, both, used)


def main(rounds: int = ROUNDS) -> None:
    """Print the table: of all rounds the one whose efficiency is the median."""
    workers = max(2, cores())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        log = all_levels(Path(folder))
        with started_processes(log, workers) as build:
            seconds(log, build, Waiting(0))
            for ratio, kind in product(RATIOS, (Waiting, Begun)):
                each = [measured(log, build, ratio, kind) for _ in range(rounds)]
                median = sorted(each, key=lambda one: one.efficiency)[rounds // 2]
                asked_by = "begin_predict" if kind is Begun else "predict"
                rows.append((ratio, asked_by, *astuple(median), median.sum, median.efficiency))
    print_table(
        f"{log.planned.image_counts.sum()} images of {len(log.planned)} challenges in parts of "
        f"{SETTINGS.challenges}, {workers} processes rebuilding; median of {rounds}",
        (
            "device/rebuild",
            "asked by",
            "rebuild s",
            "device s",
            "both s",
            "own core s",
            "sum s",
            "efficiency",
        ),
        rows,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
