"""What goes wrong in a training is one clear line, and the last good checkpoint is untouched."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

import streetreplay
from data.digests import file_digest
from data.errors import RunError, StreetReplayError, WriteError
from data.sources.shards import Shards
from data.store import Store
from model.checkpoint.unfinished import unfinished_run
from model.datasets.batch import Batch
from model.optimization.config import TrainingConfig
from model.optimization.metrics import EpochMetrics
from model.optimization.trainer import Trainer
from model.training.train import train
from tests.model.training.kill_switch import Killed
from tests.model.training.tiny import FROZEN, with_training
from tests.worlds.full_disk import fill, small_disk

pytestmark = pytest.mark.usefixtures("on_the_processor")


def best_of(store: Store) -> str:
    [weights] = store.runs.glob("*/best/model.safetensors")
    return file_digest(weights)


def refused(
    store: Store, shards: Shards, out: Path, config: TrainingConfig, kind: type[Exception]
) -> str:
    """The line of a training that fails."""
    with pytest.raises(kind) as error:
        train(store, shards, out, config)
    assert isinstance(error.value, StreetReplayError)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("last_good", [4, 5], ids=["within an epoch", "at its end"])
def test_a_loss_that_explodes_leaves_the_good_epochs_checkpoint(
    shards: Shards,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    last_good: int,
) -> None:
    """The step after the last good one is far too large."""
    real, kept = Trainer._batch, []

    def exploding(trainer: Trainer, batch: Batch, weight: float) -> bool:
        if trainer.steps == last_good:
            kept.append(best_of(store))
            for group in trainer._optimizer.param_groups:
                group["lr"] = 1e38
        return real(trainer, batch, weight)

    monkeypatch.setattr(Trainer, "_batch", exploding)
    message = refused(store, shards, tmp_path / "out", FROZEN, RunError)
    assert f"epoch 2, after step {last_good + 1}: found a loss of" in message
    assert message.endswith("choose a lower --lr")
    assert kept == [best_of(store)]
    assert unfinished_run(tmp_path / "out")


def filling(disk: Path, real: Callable[..., Any], at: int, leave: int) -> Callable[..., Any]:
    """The function, which finds the disk full at one of its calls."""
    calls = [0]

    def called(*args: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == at:
            fill(disk, leave)
        return real(*args, **options)

    return called


@pytest.mark.parametrize(
    ("place", "at", "leave", "file"),
    [
        ("session.save_checkpoint", 2, 60_000, "model.safetensors"),
        ("session.save_state", 2, 60_000, "state.pt"),
        ("run_folder.write_curves", 2, 0, "curves.png"),
        ("train.copy_checkpoint", 1, 60_000, "model.safetensors"),
    ],
)
def test_a_full_disk_is_one_line_and_the_training_goes_on_once_there_is_room(
    shards: Shards,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    at: int,
    leave: int,
    file: str,
) -> None:
    monkeypatch.setattr(EpochMetrics, "rank", property(lambda metrics: metrics.epoch))
    with small_disk(tmp_path / "disk", 16_384) as disk:
        store, out = Store(disk / "store"), disk / "out"
        with monkeypatch.context() as patch:
            full_at(patch, f"model.training.{place}", disk, at, leave)
            message = refused(store, shards, out, FROZEN, WriteError)
        assert file in message
        assert "found No space left on device" in message
        (disk / "ballast").unlink()
        goes_on_as_if_nothing_had_been(store, shards, out, tmp_path)


def test_features_on_a_full_disk_are_one_line(
    shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 16_384) as disk:
        full_at(monkeypatch, "model.datasets.features._append", disk, 1, 4_096)
        message = refused(Store(disk / "store"), shards, disk / "out", FROZEN, WriteError)
        assert "training.features: found No space left on device" in message
        assert not list(disk.glob("store/runs/*/*.features"))


def full_at(monkeypatch: pytest.MonkeyPatch, name: str, disk: Path, at: int, leave: int) -> None:
    module, _, function = name.rpartition(".")
    real = getattr(__import__(module, fromlist=[function]), function)
    monkeypatch.setattr(name, filling(disk, real, at, leave))


def goes_on_as_if_nothing_had_been(store: Store, shards: Shards, out: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    report = train(store, shards, out, FROZEN, note=notes.append)
    assert notes[0].startswith("going on after epoch")
    whole = train(Store(tmp_path / "whole"), shards, tmp_path / "whole-out", FROZEN)
    assert report.epochs == whole.epochs
    assert (
        len({file_digest(path / "model.safetensors") for path in (out, tmp_path / "whole-out")})
        == 1
    )


@pytest.fixture
def unfinished(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of a training that was killed after its first epoch."""

    def dying(trainer: Trainer, batch: Batch, weight: float) -> bool:
        if trainer.steps > 3:
            raise Killed
        return real(trainer, batch, weight)

    real = Trainer._batch
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_batch", dying)
        with pytest.raises(Killed):
            train(store, shards, tmp_path / "out", FROZEN)
    return tmp_path / "out"


def test_an_unfinished_training_is_not_gone_on_with_by_another(
    shards: Shards, store: Store, unfinished: Path, tmp_path: Path
) -> None:
    before = best_of(store)
    other = with_training(FROZEN, seed=5)
    message = refused(store, shards, unfinished, other, RunError)
    assert "an unfinished training of other settings or data (train-" in message
    assert "config.training.seed 0, not 5" in message
    assert "start it with the same settings, name another folder, or --replace it" in message
    changed = tmp_path / "changed"
    shutil.copytree(str(shards.folder), changed)
    path = sorted(changed.glob("*.parquet"))[0]
    table = pq.read_table(path)
    pq.write_table(table.slice(0, len(table) - 1), path)
    message = refused(store, Shards(changed), unfinished, FROZEN, RunError)
    assert "which differs in" in message
    assert f"sources.{path.name}" in message
    assert best_of(store) == before


def test_an_unfinished_checkpoint_is_not_replayed(unfinished: Path, store: Store) -> None:
    words = ["replay", "--model", str(unfinished), "--store", str(store.root)]
    answer = CliRunner().invoke(streetreplay.app, words)
    assert answer.exit_code == 1
    assert "unfinished training" in str(answer.exception)


def test_a_damaged_state_is_one_line(
    shards: Shards, store: Store, unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [state] = store.runs.glob("*/state.pt")
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    message = refused(store, shards, unfinished, FROZEN, RunError)
    assert "training state" in message
    assert "delete it to begin the training anew" in message
    state.unlink()
    assert len(train(store, shards, unfinished, FROZEN).epochs) == 2


def test_weights_that_do_not_fit_are_one_line(shards: Shards, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"conv.weight": torch.zeros(2)}, file)
    config = replace(FROZEN, backbone=replace(FROZEN.backbone, weights=str(file)))
    message = refused(store, shards, tmp_path / "out", config, RunError)
    assert "1 not the model's (conv.weight)" in message
    assert not (tmp_path / "out").exists()


def test_rows_of_one_class_are_one_line(shards: Shards, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "one-class"
    folder.mkdir()
    for path in shards.folder.glob("*.parquet"):
        table = pq.read_table(path)
        labels = table.column("label").to_pylist()
        pq.write_table(
            table.take([k for k, label in enumerate(labels) if label]), folder / path.name
        )
    message = refused(store, Shards(folder), tmp_path / "out", FROZEN, RunError)
    assert "9 with roadwork and 0 without" in message
    assert not (tmp_path / "out").exists()


def test_an_unknown_setting_is_one_line(shards: Shards, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[training]\nepoch = 3\n")
    words = ["train", f"--out={tmp_path / 'out'}", f"--settings={file}", f"--store={store.root}"]
    answer = CliRunner().invoke(streetreplay.app, [*words, f"--sources={shards.folder}"])
    assert answer.exit_code == 1
    assert "an unknown key epoch" in str(answer.exception)
    assert not (tmp_path / "out").exists()
