"""Metrics in TensorBoard's and W&B's own files, read by tensorboard and by our reader of logs."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from data.logs.wandb_transactions import Damage, read_transactions
from data.sources.shards import Shards
from data.store import Store
from model.optimization.accelerator import make_accelerator
from model.optimization.metrics import EpochMetrics
from model.optimization.trainer import Trainer
from model.training.run_folder import TrainingRun
from model.training.trackers import finish_trackers, start_trackers, tracking
from model.training.train import train
from tests.model.optimization.toy import QUICK, cpu_accelerator
from tests.model.training.kill_switch import Killed
from tests.model.training.tiny import FROZEN, OPTIONS, with_training
from tests.worlds.commands_in_forks import run, start

NO_LOGIN = {"WANDB_MODE": None, "WANDB_API_KEY": None}


def steps_of(folder: Path, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def expected_steps(epochs: list[EpochMetrics], name: str) -> list[tuple[int, Any]]:
    return [
        (epoch.steps, pytest.approx(getattr(epoch, name), rel=1e-6, abs=1e-7)) for epoch in epochs
    ]


@pytest.mark.usefixtures("on_the_processor")
def test_tensorboard_reads_all_epochs_of_a_training_that_went_on(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = with_training(FROZEN, tracker="tensorboard", epochs=3)
    evaluate = Trainer._evaluate

    def dying(trainer: Trainer) -> EpochMetrics:
        if trainer.steps > 3:
            raise Killed
        return evaluate(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_evaluate", dying)
        with pytest.raises(Killed):
            train(store, shards, tmp_path / "out", config)
    report = train(store, shards, tmp_path / "out", config)
    folder = store.runs / report.run_id / "streetreplay"
    assert steps_of(folder, "train/loss") == expected_steps(report.epochs, "loss")
    assert steps_of(folder, "validation/mcc") == expected_steps(report.epochs, "mcc")
    assert steps_of(folder, "validation/loss") == expected_steps(report.epochs, "validation_loss")


@pytest.mark.usefixtures("on_the_processor")
def test_a_tracker_that_fails_loses_no_training(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("accelerate.tracking.TensorBoardTracker.log", full)
    notes: list[str] = []
    config = with_training(FROZEN, tracker="tensorboard")
    report = train(store, shards, tmp_path / "out", config, note=notes.append)
    assert len(report.epochs) == 2
    [said] = [line for line in notes if "tracker" in line]
    assert "No space left on device" in said
    assert "the training goes on without it" in said


def words(shards: Shards, folder: Path, *more: str) -> list[str | Path]:
    places = [f"--store={folder / 'store'}", f"--out={folder / 'out'}"]
    return ["train", *OPTIONS, *places, f"--sources={shards.folder}", *more]


def history(log: Path) -> dict[int, dict[str, Any]]:
    """What a transaction log says of each step."""
    steps = {}
    for record in read_transactions(log):
        assert not isinstance(record, Damage)
        if record.WhichOneof("record_type") == "history":
            items = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            steps[items["_step"]] = items
    return steps


def test_wandb_offline_keeps_all_epochs_of_a_training_that_went_on(
    shards: Shards, tmp_path: Path
) -> None:
    offline = {**NO_LOGIN, "WANDB_MODE": "offline", "HOME": str(tmp_path)}
    train_words = words(shards, tmp_path, "--tracker=wandb", "--epochs=4", "--patience=4", "--json")
    command = start(train_words, tmp_path / "first", offline)
    command.wait_for(lambda: any(line.startswith("epoch 1") for line in command.errors))
    command.signal(signal.SIGTERM)
    assert command.wait() == 1
    again = run(train_words, tmp_path / "second", offline)
    assert again.wait() == 0, again.errors
    report = json.loads(again.output)
    logs = sorted(
        (tmp_path / "store").glob(f"runs/*/wandb/offline-run-*/run-{report['run_id']}.wandb")
    )
    assert len(logs) == 2
    steps = history(logs[0]) | history(logs[1])
    assert sorted(steps) == [epoch["steps"] for epoch in report["epochs"]]
    for epoch in report["epochs"]:
        assert steps[epoch["steps"]]["validation/mcc"] == epoch["mcc"]
        assert steps[epoch["steps"]]["train/loss"] == epoch["loss"]


def test_wandb_without_a_login_is_one_line_and_is_not_met_unasked(
    shards: Shards, tmp_path: Path
) -> None:
    environment = {**NO_LOGIN, "HOME": str(tmp_path)}
    asked = run(words(shards, tmp_path, "--tracker=wandb"), tmp_path / "asked", environment)
    assert asked.wait() == 1
    [said] = [line for line in asked.errors if line.startswith("streetreplay:")]
    assert "--tracker wandb: found UsageError" in said
    assert "WANDB_MODE=offline" in said
    assert not any("Traceback" in line for line in asked.errors)
    for left in tmp_path.glob("store/runs/*/wandb"):
        shutil.rmtree(left)
    unasked = run(words(shards, tmp_path), tmp_path / "unasked", environment)
    assert unasked.wait() == 0, unasked.errors  # a tracker does not make it another training
    # timm imports the client itself (`timm.utils`), so files tell whether it was called
    assert not [path for path in tmp_path.rglob("*") if path.name in ("wandb", ".netrc")]


def test_each_training_logs_to_its_own_folder_alone(tmp_path: Path) -> None:
    cpu_accelerator(QUICK)  # nothing is left of an earlier test's
    accelerator = make_accelerator(QUICK, cpu=True, **tracking("tensorboard", tmp_path))
    for name in ("a", "b"):
        run = TrainingRun(name, tmp_path / name, {"config": {"training": {"lr": 0.1}}})
        start_trackers(accelerator, run)
        accelerator.log({"loss": 1.0}, step=1)
        finish_trackers(accelerator)
    accelerator.end_training()
    for name in ("a", "b"):
        assert len(list((tmp_path / name / "streetreplay").glob("events.*"))) == 1
