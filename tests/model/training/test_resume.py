"""A training that is killed and started again ends in the bits of an undisturbed one."""

import json
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.digests import file_digest
from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from model.checkpoint.checkpoint import load_checkpoint
from model.checkpoint.unfinished import unfinished_run
from model.datasets.batch import Batch
from model.optimization.config import TrainingConfig
from model.optimization.trainer import Trainer
from model.training.report import TrainReport
from model.training.train import train
from tests.model.training.kill_switch import Killed, KillSwitch
from tests.model.training.tiny import FROZEN, TINY

pytestmark = pytest.mark.usefixtures("on_the_processor")

TRIES = 10
"""Of each of two kinds of training."""


def result(store: Store, out: Path, report: TrainReport) -> dict[str, Any]:
    """All that a training leaves, without times."""
    run = store.runs / report.run_id
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    timeless = [
        {
            name: value
            for name, value in line.items()
            if name not in ("seconds", "images_per_second")
        }
        for line in lines
    ]
    return {
        "report": asdict(replace(report, out="")),
        "metrics": timeless,
        "checkpoint": {path.name: file_digest(path) for path in sorted(out.iterdir())},
        "run": sorted(path.name for path in run.iterdir()),
        "split": file_digest(run / "split.parquet"),
    }


def assert_sound(out: Path) -> None:
    """A folder of a checkpoint is absent, says that it is not done, or is whole."""
    if not out.exists() or not any(out.iterdir()):
        return
    if unfinished_run(out) is None:
        load_checkpoint(out)
        return
    with pytest.raises(RunError, match=r"unfinished training.*start the same training again"):
        load_checkpoint(out)


def chosen_moments(moments: list[str], seed: int) -> list[int]:
    """Numbers of `TRIES` moments, of each place at least one."""
    random = np.random.default_rng(seed)
    of_place = defaultdict(list)
    for number, place in enumerate(moments):
        of_place[place].append(number)
    first = [int(random.choice(numbers)) for numbers in of_place.values()]
    more = random.choice(len(moments), max(0, TRIES - len(first)), replace=False)
    return first + [int(number) for number in more]


PLACES = {"batch", "best", "clean-up", "metrics", "out", "outcome", "state", "sync"}


@pytest.mark.parametrize(
    "config",
    [TINY, pytest.param(FROZEN, marks=pytest.mark.slow)],
    ids=["trained", "frozen"],
)
def test_a_training_killed_anywhere_ends_in_the_same_bits(
    shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: TrainingConfig
) -> None:
    assert config.optimizer.ema_decay
    store, out = Store(tmp_path / "whole"), tmp_path / "whole-out"
    watch = KillSwitch(out)
    with monkeypatch.context() as patch:
        watch.installed(patch)
        report = train(store, shards, out, config)
    expected = result(store, out, report)
    assert set(watch.moments) >= PLACES
    random = np.random.default_rng(1)
    monkeypatch.setattr("model.training.run_folder.write_curves", no_curves)
    for number, moment in enumerate(chosen_moments(watch.moments, seed=0)):
        store, out = Store(tmp_path / f"store-{number}"), tmp_path / f"out-{number}"
        # every third is killed twice
        again = [] if number % 3 else [int(random.integers(len(watch.moments)))]
        for at in [moment, *again]:
            killed(store, shards, out, config, at, monkeypatch)
            assert_sound(out)
        report = train(store, shards, out, config)
        assert result(store, out, report) == expected, (moment, watch.moments[moment], again)


def no_curves(file: Path, _lines: object) -> None:
    """Drawing takes longer than the training."""
    file.write_bytes(b"")


def killed(
    store: Store,
    shards: Shards,
    out: Path,
    config: TrainingConfig,
    at: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Train until a moment; a training that goes on may be at its end before it."""
    with monkeypatch.context() as patch:
        KillSwitch(out, at).installed(patch)
        try:
            train(store, shards, out, config)
        except Killed:
            return


def test_a_training_that_goes_on_says_where(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, seen = Trainer._batch, [0]

    def dying(trainer: Trainer, given: Batch, weight: float) -> bool:
        seen[0] += 1
        if seen[0] == 5:
            raise Killed
        return batch(trainer, given, weight)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_batch", dying)
        with pytest.raises(Killed):
            train(store, shards, tmp_path / "out", TINY)
    notes: list[str] = []
    train(store, shards, tmp_path / "out", TINY, note=notes.append)
    assert notes[0] == "going on after epoch 1, at step 3"
