"""Trainings that draw their rows by weights."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data.digests import file_digest
from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from model.checkpoint.card import read_card
from model.datasets.batch import Batch
from model.optimization.trainer import Trainer
from model.rows.source_rows import list_rows
from model.rows.split import split_rows
from model.training.train import train
from tests.model.training.kill_switch import Killed
from tests.model.training.tiny import FROZEN, TINY

pytestmark = pytest.mark.usefixtures("on_the_processor")


def write_weights(folder: Path, shards: Shards, heavy: int = 3) -> Path:
    """Every third row of the sources weighs most, the others hardly anything."""
    rows = list_rows(shards).rows
    weight = [1.0 if at % heavy == 0 else 0.001 for at in range(len(rows))]
    file = folder / f"by-{heavy}.parquet"
    names = {"source": [row.parquet for row in rows], "row": [row.row for row in rows]}
    pl.DataFrame(names | {"weight": weight}).write_parquet(file)
    return file


def test_rows_come_by_their_weights_and_the_run_and_its_card_name_the_file(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[int] = Counter()
    trained = Trainer._batch

    def counting(trainer: Trainer, batch: Batch, weight: float) -> bool:
        seen.update(batch.rows.tolist())
        return trained(trainer, batch, weight)

    monkeypatch.setattr(Trainer, "_batch", counting)
    file = write_weights(tmp_path, shards)
    report = train(store, shards, tmp_path / "out", FROZEN, sample_weights=file)
    training = split_rows(list_rows(shards).rows, FROZEN.split).training
    heavy = {at for at, index in enumerate(training) if index % 3 == 0}
    assert sum(seen.values()) == 2 * report.training
    assert sum(n for row, n in seen.items() if row in heavy) >= 0.95 * sum(seen.values())
    run = json.loads((store.runs / report.run_id / "run.json").read_text())
    assert run["sample_weights"] == file_digest(file)
    assert read_card(tmp_path / "out").training["sample_weights"] == file_digest(file)


def test_other_weights_and_none_are_other_trainings(
    shards: Shards, store: Store, tmp_path: Path
) -> None:
    files = [None, write_weights(tmp_path, shards, 3), write_weights(tmp_path, shards, 2)]
    reports = [
        train(store, shards, tmp_path / f"out-{at}", FROZEN, sample_weights=file)
        for at, file in enumerate(files)
    ]
    assert len({report.run_id for report in reports}) == 3
    assert read_card(tmp_path / "out-0").training["sample_weights"] is None
    with pytest.raises(RunError, match="another checkpoint"):
        train(store, shards, tmp_path / "out-0", FROZEN, sample_weights=files[1])
    again = train(store, shards, tmp_path / "out-1", FROZEN, sample_weights=files[1])
    assert again == reports[1]


def test_a_weighted_training_that_was_killed_ends_in_the_same_bits(
    shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_weights(tmp_path, shards)
    train(Store(tmp_path / "a"), shards, tmp_path / "whole", TINY, sample_weights=file)
    trained, batches = Trainer._batch, [0]

    def dying(trainer: Trainer, batch: Batch, weight: float) -> bool:
        batches[0] += 1
        if batches[0] == 5:
            raise Killed
        return trained(trainer, batch, weight)

    store, out = Store(tmp_path / "b"), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_batch", dying)
        with pytest.raises(Killed):
            train(store, shards, out, TINY, sample_weights=file)
    notes: list[str] = []
    train(store, shards, out, TINY, sample_weights=file, note=notes.append)
    assert re.fullmatch(r"rows drawn by .*: an effective sample size of \d+ of \d+ .*", notes[0])
    assert notes[1].startswith("going on after epoch 1")
    for name in ("model.safetensors", "training_rows.parquet"):
        assert file_digest(out / name) == file_digest(tmp_path / "whole" / name)


@pytest.mark.parametrize("zero", ["training", "others"])
def test_weights_that_no_training_can_be_drawn_by_are_one_line(
    shards: Shards, store: Store, tmp_path: Path, zero: str
) -> None:
    rows = list_rows(shards).rows
    split = split_rows(rows, FROZEN.split)
    weight = np.ones(len(rows))
    weight[split.training] = 0.0
    names = [row.parquet for row in rows]
    if zero == "others":
        names[0] = "other.parquet"
    columns = {"source": names, "row": [row.row for row in rows], "weight": weight}
    file = tmp_path / "weights.parquet"
    pl.DataFrame(columns).write_parquet(file)
    words = "none above 0 among the" if zero == "training" else "1 of 36 source rows without"
    with pytest.raises(RunError, match=words) as error:
        train(store, shards, tmp_path / "out", FROZEN, sample_weights=file)
    assert "\n" not in str(error.value)
