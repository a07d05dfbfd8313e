"""Scores of models' answers to unseen drawn scenes, kept from sitting to sitting."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.scoring.metrics import mcc_of_tables
from model.network.street_model import CLASSES
from tests.bench.training.drawn_scenes import Classes, TestScenes

COLUMNS = (
    "model",
    "MCC",
    "lowest",
    "highest",
    "against",
    "difference",
    "95% interval",
    "n",
    "left out",
    "steps",
    "minutes",
)


@dataclass(frozen=True)
class Score:
    """Mean MCC over seeds, of the lowest and the highest seed, and the difference from a base.

    `interval` (95%) is a bootstrap over scenes, the same draws for both; seeds are averaged.
    """

    mcc: float
    lowest: float
    highest: float
    difference: float
    interval: Interval


def score(
    answers: Sequence[Classes],
    base: Sequence[Classes],
    test: TestScenes,
    settings: BootstrapSettings = BootstrapSettings(),
) -> Score:
    """Scores of a variant's answers, one array a seed, beside those of the base."""
    ours, theirs = (
        np.stack([_tables(classes, test) for classes in each]) for each in (answers, base)
    )
    count = ours.shape[1]
    repeats = [image_repeats(count, settings, draw) for draw in range(settings.draws)]
    drawn = np.array([_mean_mcc(ours, repeat) - _mean_mcc(theirs, repeat) for repeat in repeats])
    once = np.ones(count, np.uint8)
    point = _mean_mcc(ours, once) - _mean_mcc(theirs, once)
    low, high = centred_intervals(np.array([point]), drawn[:, None], settings.level)[0]
    seeds = mcc_of_tables(ours.sum(axis=1))
    return Score(float(seeds.mean()), float(seeds.min()), float(seeds.max()), point, (low, high))


def _tables(classes: Classes, test: TestScenes) -> NDArray[np.float64]:
    """Confusion counts of each scene, (scenes, 2, 2): truth, class."""
    counts = np.zeros((int(test.scenes.max()) + 1, CLASSES, CLASSES))
    np.add.at(counts, (test.scenes, test.truth, classes), 1)
    return counts


def _mean_mcc(tables: NDArray[np.float64], repeats: NDArray[np.uint8]) -> float:
    return float(mcc_of_tables(np.einsum("msij,s->mij", tables, repeats)).mean())


class Results:
    """Results of runs that are done, a JSON line each, so that a table can take several sittings.

    A line counts for runs of the same sizes only.
    """

    def __init__(self, file: Path, sizes: Mapping[str, Any]) -> None:
        self._file, self._sizes = file, dict(sizes)
        self._runs: dict[tuple[str, int], dict[str, Any]] = {}
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        for line in map(json.loads, lines):
            if line["sizes"] == self._sizes:
                self._runs[line["variant"], line["seed"]] = line

    def __contains__(self, run: tuple[str, int]) -> bool:
        return run in self._runs

    def add(self, variant: str, seed: int, minutes: float, steps: int, classes: Classes) -> None:
        """Keep a run's answers."""
        line = {
            "sizes": self._sizes,
            "variant": variant,
            "seed": seed,
            "minutes": minutes,
            "steps": steps,
            "classes": classes.tolist(),
        }
        self._runs[variant, seed] = line
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def answers(self, variant: str, seeds: int) -> list[Classes]:
        """The answers of all seeds."""
        return [np.array(self._runs[variant, seed]["classes"]) for seed in range(seeds)]

    def mean(self, variant: str, seeds: int, name: str) -> float:
        """The mean of a number, minutes or steps, over all seeds."""
        return float(np.mean([self._runs[variant, seed][name] for seed in range(seeds)]))


def score_rows(
    names: Mapping[str, str], results: Results, test: TestScenes, seeds: int
) -> list[tuple[object, ...]]:
    """A row of `COLUMNS` for each variant; `names` has the base of each."""
    found: list[tuple[object, ...]] = []
    for name, base in names.items():
        scored = score(results.answers(name, seeds), results.answers(base, seeds), test)
        low, high = scored.interval
        found.append(
            (
                name,
                scored.mcc,
                scored.lowest,
                scored.highest,
                base,
                scored.difference,
                f"{low:+.3f} to {high:+.3f}",
                len(test),
                test.left_out,
                results.mean(name, seeds, "steps"),
                results.mean(name, seeds, "minutes"),
            )
        )
    return found
