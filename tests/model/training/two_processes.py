"""Trainings in each process of a launcher; what a process saw is written to `seen-RANK.json`.

Run as `accelerate launch ... -m tests.model.training.two_processes SOURCES FOLDER`.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState

import streetreplay
from data.errors import SourceError
from data.sources.shards import Shards
from data.store import Store
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.batch import Batch
from model.datasets.feature_dataset import FeatureDataset
from model.datasets.settings import DatasetSettings
from model.optimization.accelerator import make_accelerator
from model.optimization.config import TrainingConfig
from model.optimization.trainer import Trainer
from model.training.train import train
from tests.model.optimization.known_costs import costs_are_known
from tests.model.training.kill_switch import KillSwitch
from tests.model.training.tiny import OPTIONS, TINY, with_training

# Off is what each process draws from its own random numbers, and the one loss that is no mean over
# rows. AdamW would make steps of rounding errors in gradients that are nearly 0.
_MODEL = replace(TINY.model, dropout=0.0, drop_path=0.0, drop_view=0.0)
_OPTIMIZER = replace(TINY.optimizer, opt="sgd", lr=0.03, ema_decay=0.5)
_LOSS = replace(TINY.loss, weather=0.0)
_EXACT = with_training(
    replace(TINY, model=_MODEL, optimizer=_OPTIMIZER, loss=_LOSS), epochs=3, patience=3
)
CONFIGS: dict[str, TrainingConfig] = {
    "frozen": replace(
        _EXACT,
        dataset=DatasetSettings(draws=3, workers=0),
        backbone=BackboneSettings("test_resnet", RANDOM, side=32),
    ),
    # no batch norm, whose statistics each process takes of its own share
    "images": replace(
        _EXACT,
        dataset=DatasetSettings(draws=1, workers=0, mixup=0.0),
        backbone=BackboneSettings("test_vit", RANDOM, side=32, trained="all"),
    ),
}


def seen(shards: Shards, folder: Path, make: Callable[..., Accelerator]) -> dict[str, Any]:
    """What this process sees of each training: its batches, its changes to the disk, metrics."""
    return {name: _seen(shards, folder / name, config, make) for name, config in CONFIGS.items()}


def _seen(
    shards: Shards, folder: Path, config: TrainingConfig, make: Callable[..., Accelerator]
) -> dict[str, Any]:
    batches: list[dict[int, str]] = []
    notes: list[str] = []
    trained = Trainer._batch

    def noting(trainer: Trainer, batch: Batch, weight: float) -> bool:
        pairs = zip(batch.rows.tolist(), batch.inputs, strict=True)
        batches.append({row: sha256(inputs.numpy()).hexdigest() for row, inputs in pairs})
        return trained(trainer, batch, weight)

    switch = KillSwitch(folder / "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.training.train.make_accelerator", make)
        patch.setattr(Trainer, "_batch", noting)
        switch.installed(patch)
        report = train(Store(folder / "store"), shards, folder / "out", config, note=notes.append)
    changes = [place for place in switch.moments if place != "batch"]
    return {"report": asdict(report), "batches": batches, "changes": changes, "notes": notes}


def _make(config: TrainingConfig, **options: Any) -> Accelerator:
    """Another accelerator in the same group of processes."""
    AcceleratorState._reset_state()
    GradientState._reset_state()
    return make_accelerator(config, **options)


@contextmanager
def _one_process_that_lacks_a_batch() -> Iterator[None]:
    whole = FeatureDataset.__getitems__

    def lacking(dataset: FeatureDataset, draws: Any) -> Any:
        if _rank() == "1" and draws[0].epoch == 2:
            return SourceError("a.parquet, row 3", found="no image")
        return whole(dataset, draws)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureDataset, "__getitems__", lacking)
        yield


def _command(sources: Path, folder: Path, name: str) -> None:
    """Run the command as this process of it; its status and output are written."""
    own = folder / f"{name}-{_rank()}"
    for number, stream in ((1, "stdout"), (2, "stderr")):
        opened = os.open(own.with_suffix(f".{stream}"), os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
    store, out = folder / f"{name}-store", folder / f"{name}-out"
    sys.argv = ["streetreplay", "train", *OPTIONS, "--json", f"--store={store}", f"--out={out}"]
    sys.argv.append(f"--sources={sources}")
    try:
        streetreplay.main()
    except SystemExit as end:
        sys.stdout.flush()
        own.with_suffix(".status").write_text(str(end.code))


def _rank() -> str:
    return os.environ["RANK"]


def _main(sources: Path, folder: Path) -> None:
    # the launcher ends all when one ends; here each is to say first what it has to say
    set_handler = signal.signal
    set_handler(signal.SIGTERM, signal.SIG_IGN)

    def all_but_sigterm(number: int, handler: Any) -> Any:
        return signal.SIG_IGN if number == signal.SIGTERM else set_handler(number, handler)

    patch = pytest.MonkeyPatch()
    patch.setattr(signal, "signal", all_but_sigterm)
    patch.setattr(Accelerator, "end_training", lambda _: None)  # a group cannot be made again
    patch.setattr("model.training.train.make_accelerator", _make)
    with costs_are_known():
        saw = json.dumps(seen(Shards(sources), folder, _make))
    (folder / f"seen-{_rank()}.json").write_text(saw)
    _command(sources, folder, "whole")
    if _rank() == "0":
        (folder / "file-out").touch()
    _command(sources, folder, "file")
    with _one_process_that_lacks_a_batch():
        _command(sources, folder, "lacking")
    raise SystemExit(1)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
