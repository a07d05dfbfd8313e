"""Speed of training on images drawn anew, a tiny backbone trained too, as the demo does it.

Bound: seconds a step at most 1.15 x the larger of the step alone, on images that are there, and all
core seconds over the cores. What a row costs by part, in core milliseconds, says what a fresh draw
an epoch costs beside draws that are kept. `--help` names the sizes.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil
import torch
from torch.utils.data import Dataset

from data.machine.processes import cores
from data.sources.shards import Shards
from data.terminal import print_table
from model.datasets.batch import Batch, RowDraw
from model.datasets.challenge_draws import decode_jpeg
from model.datasets.images import ImageSource
from model.optimization.config import TrainingConfig
from model.optimization.threads import threads_beside
from model.optimization.trainer import Trainer
from model.views.views import ViewExtractor, ViewSettings
from replay.rebuilding.rebuild import Rebuilder
from tests.bench.training.drawn_scenes import TRAINING_SEED, DrawnRows, draw_rows
from tests.bench.training.options import sizes_from
from tests.bench.training.switches import Sizes as TrainingSizes
from tests.bench.training.switches import base_config, fresh_images, trainer_of

Made = TypeVar("Made")

BOUND = 1.15
# The demo's: before, so many draws of each row were made once and kept for all epochs.
KEPT_DRAWS, EPOCHS = 2, 8


@dataclass(frozen=True)
class Sizes:
    """Scenes, each drawn with works and without; epochs timed; processes that rebuild."""

    scenes: int = 160
    rounds: int = 3
    workers: int = 2


class ThereAlready(Dataset[Batch]):
    """One batch, whatever is asked for: as many of its rows as are asked for."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def __getitems__(self, draws: Sequence[RowDraw]) -> Batch:
        """Its first rows."""
        batch, count = self._batch, len(draws)
        return replace(
            batch,
            rows=batch.rows[:count],
            inputs=batch.inputs[:count],
            labels=batch.labels[:count],
            weather=batch.weather[:count],
            views=None if batch.views is None else batch.views[:count],
        )


@dataclass(frozen=True)
class Cost:
    """Seconds of a step by the clock; core seconds of the trainer and of the loader's processes."""

    seconds: float
    trainer: float
    loader: float


class Epochs:
    """Epochs of a trainer, each with its cost; the first one starts the loader's processes."""

    def __init__(self, trainer: Trainer) -> None:
        self._steps: list[Cost] = []
        self._epochs = trainer.epochs(stop=self._note_step)

    def _note_step(self) -> bool:
        self._steps.append(Cost(time.perf_counter(), time.process_time(), _children_seconds()))
        return False

    def cost(self) -> Cost:
        """The mean over the steps of one epoch but its first."""
        self._steps.clear()
        next(self._epochs)
        first, last, count = self._steps[0], self._steps[-1], len(self._steps) - 1
        return Cost(
            (last.seconds - first.seconds) / count,
            (last.trainer - first.trainer) / count,
            (last.loader - first.loader) / count,
        )


def _children_seconds() -> float:
    """Core seconds so far of all processes that this one has."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return float(sum(each.user + each.system for each in times))


def step_costs(config: TrainingConfig, rows: DrawnRows, sizes: Sizes) -> tuple[Cost, Cost]:
    """The step on images that are there, and with the loader; medians, taking turns."""
    size = config.training.batch_size
    batch = fresh_images(config, rows).__getitems__([RowDraw(row, 1, 1) for row in range(size)])
    if not isinstance(batch, Batch):
        raise batch
    alone = Epochs(trainer_of(config, rows, ThereAlready(batch), 0))
    loaded = Epochs(trainer_of(config, rows, fresh_images(config, rows), sizes.workers))
    costs: list[tuple[Cost, Cost]] = []
    for _ in range(sizes.rounds + 1):
        of_step = alone.cost()
        # as a training has it
        with threads_beside(sizes.workers, torch.device("cpu")):
            costs.append((of_step, loaded.cost()))
    del costs[0]
    first, second = (_median([pair[part] for pair in costs]) for part in (0, 1))
    return first, second


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.trainer for cost in costs),
        statistics.median(cost.loader for cost in costs),
    )


def row_costs(config: TrainingConfig, rows: DrawnRows) -> dict[str, float]:
    """Core milliseconds a row of each part of a fresh image, scenes in an epoch's order."""
    source = ImageSource(rows.shards.folder, rows.table, config.dataset, config.training.seed)
    shards = Shards(source.folder)
    rebuilder = Rebuilder(shards, source.seed)
    extractor = ViewExtractor(ViewSettings(config.backbone.side or 0, (0.5,) * 3, (0.5,) * 3))
    order = torch.randperm(len(rows.table) // 2, generator=torch.Generator().manual_seed(0))
    draws = [RowDraw(2 * int(scene) + part, 1, 1) for scene in order for part in (0, 1)]
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Made]) -> Made:
        start = time.thread_time()
        made = work()
        spent[name] = spent.get(name, 0.0) + 1000 * (time.thread_time() - start) / len(draws)
        return made

    for draw in draws:
        row = rows.table.rows[draw.row]
        sample = timed("draw the challenge", partial(source.sample, draw))
        timed("read the row", partial(shards.read, row.parquet, row.row))
        timed("decode the source", partial(rebuilder.source, sample.challenge))
        rebuilt = timed(
            "crop, distort, encode",
            partial(rebuilder.rebuild, sample.challenge, sample.variant),
        )
        image = timed("decode the JPEG", partial(decode_jpeg, rebuilt.jpeg))
        timed("cut 12 views", partial(extractor.of_images, [image]))
    return spent


def print_steps(config: TrainingConfig, alone: Cost, loaded: Cost) -> None:
    """A row for each: seconds, core seconds, and how near the step is to its bound."""
    all_cores = (loaded.trainer + loaded.loader) / cores()
    least = max(alone.seconds, all_cores)
    print_table(
        f"a step of {config.training.batch_size} rows of 800 x 450 with {config.training.views} "
        f"views, {cores()} cores; medians. Bound: {BOUND} x the larger of the step alone and all "
        "core seconds over the cores",
        ("step", "ms", "trainer, core ms", "loader, core ms", "least ms", "x least"),
        [
            ("alone", *_milliseconds(alone), None, None),
            ("with the loader", *_milliseconds(loaded), 1000 * least, loaded.seconds / least),
        ],
    )


def _milliseconds(cost: Cost) -> tuple[float, float, float]:
    return 1000 * cost.seconds, 1000 * cost.trainer, 1000 * cost.loader


def print_row_costs(config: TrainingConfig, parts: dict[str, float], loaded: Cost) -> None:
    """A row for each part, and what a row costs with draws kept and with fresh ones."""
    size = config.training.batch_size
    step = 1000 * loaded.trainer / size
    rebuilt = sum(parts.values()) - parts["decode the JPEG"] - parts["cut 12 views"]
    kept = step + parts["decode the JPEG"] + KEPT_DRAWS * rebuilt / EPOCHS
    fresh = step + 1000 * loaded.loader / size
    print_table(
        "core milliseconds of a row of an epoch",
        ("part", "core ms"),
        [
            *parts.items(),
            ("the trainer's step, with its views", step),
            ("the loader's processes, all they do", 1000 * loaded.loader / size),
            (f"in all, {KEPT_DRAWS} draws kept for {EPOCHS} epochs", kept),
            ("in all, drawn anew", fresh),
        ],
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Measure, and print both tables."""
    sizes = sizes_from(Sizes, arguments)
    training = TrainingSizes(epochs=sizes.rounds + 1)
    config = base_config(training, seed=0)
    with tempfile.TemporaryDirectory() as name:
        rows = draw_rows(Path(name), sizes.scenes, TRAINING_SEED)
        alone, loaded = step_costs(config, rows, sizes)
        parts = row_costs(config, rows)
    print_steps(config, alone, loaded)
    print_row_costs(config, parts, loaded)


if __name__ == "__main__":
    main(sys.argv[1:])
