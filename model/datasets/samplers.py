"""Which rows come when: the order of an epoch, and its batches.

Everything is drawn from a seed and the epoch's number, so that an epoch can be begun again, or in
its middle, and is the same in any number of processes.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import torch
from torch.utils.data import Sampler

from analytics.scoring.metrics import Floats
from data.errors import RunError
from model.datasets.batch import RowDraw, RowTable

# Draws of a row that comes several times in an epoch are this far apart, further than any epoch.
_AGAIN = 2**32


class EpochSampler(Sampler[int]):
    """Rows in an order that the number of the epoch decides."""

    _epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        """How many rows an epoch has."""
        raise NotImplementedError


SamplerOf = Callable[[RowTable, int], EpochSampler]
"""Makes the sampler of the rows to train on, with the seed of the training."""


class SceneSampler(EpochSampler):
    """Every row once an epoch, scenes in random order, rows of one scene side by side.

    In one batch they are matched pairs, which differ in what tells their labels apart: without
    them a short training learns little.
    """

    def __init__(self, scenes: torch.Tensor, seed: int) -> None:
        """Take the scene of each row, int64 (rows,), and the seed of the order."""
        self._scenes = _rows_of_scenes(scenes)
        self._count, self._seed = len(scenes), seed

    def __iter__(self) -> Iterator[int]:
        scenes = self._scenes
        for scene in np.random.default_rng((self._seed, self._epoch)).permutation(len(scenes)):
            yield from scenes[scene]

    def __len__(self) -> int:
        return self._count


class WeightedSceneSampler(EpochSampler):
    """Scenes drawn with replacement by the mean weight of their rows, rows side by side.

    An epoch has as many rows as there are. A scene comes whole, so that matched pairs stay
    together, and its rows share its weight; of the last scene of an epoch some rows may be cut off.
    """

    def __init__(self, scenes: torch.Tensor, weights: Floats, seed: int) -> None:
        """Take the scene of each row, int64 (rows,), its weight, and the seed of the draws.

        Raises:
            RunError: the weights of all rows are 0.
        """
        self._scenes = _rows_of_scenes(scenes)
        self._count, self._seed = len(scenes), seed
        sizes = np.array([len(rows) for rows in self._scenes])
        rows = np.fromiter(chain.from_iterable(self._scenes), np.int64, self._count)
        means = np.add.reduceat(weights[rows], np.cumsum(sizes) - sizes) / sizes
        # one after the other, so that the last bits are the same on every machine
        self._ends = np.cumsum(means)
        if not self._ends[-1] > 0:
            raise RunError(
                "sample weights",
                found=f"none above 0 among the {self._count} rows to train on",
                expected="some rows that are drawn",
                remedy="make the weights again by another --policy, or change --holdout",
            )

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng((self._seed, self._epoch))
        places = generator.random(self._count) * self._ends[-1]
        # to the right: a scene of weight 0 ends where the one before it does, and is passed over
        drawn = np.searchsorted(self._ends, places, side="right")
        # rounding may put a place on the very end
        drawn = np.minimum(drawn, np.searchsorted(self._ends, self._ends[-1]))
        left = self._count
        for scene in drawn:
            rows = self._scenes[scene][:left]
            yield from rows
            left -= len(rows)
            if not left:
                return

    def __len__(self) -> int:
        return self._count


def every_row(table: RowTable, seed: int) -> EpochSampler:
    """The sampler of a training without weights."""
    return SceneSampler(table.scenes, seed)


def _rows_of_scenes(scenes: torch.Tensor) -> list[list[int]]:
    """The rows of each scene, scenes in order of their first row."""
    rows_of_scene: dict[int, list[int]] = {}
    for row, scene in enumerate(scenes.tolist()):
        rows_of_scene.setdefault(scene, []).append(row)
    return list(rows_of_scene.values())


@dataclass(frozen=True)
class BatchSettings:
    """Sizes of an epoch's batches.

    `size` rows over all processes, of which each takes its share; `accumulation` batches to a step
    of the optimiser; `kept_draws` challenges kept of each row, None where each epoch draws anew.
    """

    size: int
    accumulation: int = 1
    kept_draws: int | None = None
    processes: int = 1
    process: int = 0


class TrainingBatches(Sampler[list[RowDraw]]):
    """The batches of an epoch from any sampler of rows.

    Batches are of nearly equal size, as many as fill whole steps of the optimiser where there are
    rows enough, so that every row weighs alike and none is in a small last batch. Rows of one
    scene that come side by side stay in one batch where they fit. Several processes together get
    the batches that one would, where each has two rows of a batch at least.
    """

    def __init__(
        self, sampler: Sampler[int], scenes: torch.Tensor, settings: BatchSettings, seed: int
    ) -> None:
        """Take a sampler of rows, the scene of each row, and the seed of which draw is taken."""
        self.sampler, self._settings, self._seed = sampler, settings, seed
        self._scenes = scenes.tolist()
        self._epoch = self.skipped = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._batch_count(len(self.sampler))  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[list[RowDraw]]:
        rows = list(self.sampler)
        draws = self._draws(rows)
        bounds = self._bounds(rows)
        for start, end in list(pairwise(bounds))[self.skipped :]:
            first, last = (
                start + (end - start) * process // self._settings.processes
                for process in (self._settings.process, self._settings.process + 1)
            )
            yield draws[first:last]

    def _batch_count(self, rows: int) -> int:
        settings = self._settings
        if rows < settings.processes:
            raise RunError(
                "rows to train on",
                found=f"{rows} for {settings.processes} processes",
                expected="a row at least for each",
            )
        most = rows // settings.processes  # a row at least for each process in each batch
        steps = math.ceil(rows / (settings.size * settings.accumulation))
        return min(steps * settings.accumulation, most)

    def _bounds(self, rows: Sequence[int]) -> list[int]:
        """Where batches begin, and the end of the last; moved where they would part a scene."""
        count = self._batch_count(len(rows))
        even = [len(rows) * batch // count for batch in range(count + 1)]
        scenes = [self._scenes[row] for row in rows]
        bounds = [0]
        for bound, following in pairwise(even[1:]):
            whole = bound
            while whole < following and scenes[whole] == scenes[whole - 1]:
                whole += 1
            # half a batch at least: then the bounds are the same for any number of processes
            least = max(self._settings.processes, (following - bound + 1) // 2)
            fits = following - whole >= least
            bounds.append(whole if fits else bound)
        return [*bounds, len(rows)]

    def _draws(self, rows: Sequence[int]) -> list[RowDraw]:
        """A challenge for each row: the same number for rows of one scene."""
        seen: Counter[int] = Counter()
        draws, epoch, kept = [], self._epoch, self._settings.kept_draws
        for row in rows:
            if kept is None:
                number = epoch + _AGAIN * seen[row]
            else:
                generator = np.random.default_rng((self._seed, epoch, self._scenes[row]))
                number = (int(generator.integers(kept)) + seen[row]) % kept
            seen[row] += 1
            draws.append(RowDraw(row, number, epoch))
        return draws
