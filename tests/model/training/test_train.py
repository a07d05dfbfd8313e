import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from analytics.leaks.training_rows import read_training_rows
from analytics.scoring.metrics import confusion_counts, mcc
from analytics.scoring.predicted_class import predicted_class
from data.errors import RunError
from data.scenes.parquet import write_shards
from data.settings_file import read_settings
from data.sources.shards import Shards
from data.store import Store
from model.backbone.backbone import backbone_sizes
from model.checkpoint.checkpoint import load_checkpoint
from model.checkpoint.predictor import PredictorSettings, load_predictor
from model.datasets.challenge_draws import decode_jpeg, draw_challenge
from model.datasets.jpegs import build_jpegs
from model.optimization.config import TrainingConfig, training_config
from model.optimization.metrics import EpochMetrics
from model.optimization.settings import LossSettings
from model.optimization.trainer import Trainer
from model.rows.source_rows import list_rows
from model.rows.split import split_rows
from model.training.train import train
from replay.candidates.predictor import Batch
from replay.runs.run_lock import lock_run
from tests.model.training.tiny import FROZEN, SCENES, TINY, with_training

pytestmark = pytest.mark.usefixtures("on_the_processor")


@pytest.mark.parametrize("config", [TINY, FROZEN], ids=["trained", "frozen"])
def test_a_training_leaves_a_checkpoint_with_its_provenance(
    shards: Shards, store: Store, config: TrainingConfig
) -> None:
    out = store.models / "first"
    report = train(store, shards, out, config)
    assert report.training + report.validation + report.holdout == 36
    assert report.holdout >= 3
    assert [epoch.epoch for epoch in report.epochs] == [1, 2]
    assert report.best.mcc == max(epoch.mcc for epoch in report.epochs)
    assert report.best.n == 2 * report.validation
    folder = store.runs / report.run_id
    run = json.loads((folder / "run.json").read_text())
    assert run["outcome"]["best"] == vars(report.best)
    assert run["config"]["training"]["epochs"] == 2
    assert run["made_by"]["git_commit"]
    assert set(run["sources"]) == {path.name for path in shards.paths}
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["mcc"] for line in lines] == [epoch.mcc for epoch in report.epochs]
    assert all(line["images_per_second"] > 0 for line in lines)
    with Image.open(folder / "curves.png") as curves:
        assert curves.format == "PNG"
    kinds = {name: type(table) for name, table in config.tables.items()}
    written = read_settings(folder / "settings.toml", kinds)
    tables = {name: kind(**written[name]) for name, kind in kinds.items()}
    resolved = config.resolved(backbone_sizes(config.backbone).width)
    assert training_config(tables).dataset == resolved.dataset
    assert training_config(tables).training == config.training
    # nothing is left of what only an unfinished training needs
    assert {path.name for path in folder.iterdir()} == {
        "curves.png",
        "metrics.jsonl",
        "run.json",
        "run.lock",
        "settings.toml",
        "split.parquet",
    }
    split = pl.read_parquet(folder / "split.parquet")
    assert dict(split["part"].value_counts().iter_rows()) == {
        "training": report.training,
        "validation": report.validation,
        "holdout": report.holdout,
    }
    assert {path.name for path in out.iterdir()} == {
        "model.json",
        "model.safetensors",
        "training_rows.parquet",
    }
    loaded = load_checkpoint(out)
    assert loaded.card.training["run_id"] == report.run_id
    assert loaded.card.training["epoch"] == vars(report.best)
    assert loaded.card.training["arithmetic"] == run["config"]["dataset"]["arithmetic"] == "avx2"
    assert run["made_by"]["processor"]["machine"]
    assert bool(loaded.backbone) is not config.backbone.frozen
    assert loaded.training_rows == out / "training_rows.parquet"
    seen = read_training_rows(loaded.training_rows)
    assert seen.height == report.training + report.validation
    held = split.filter(pl.col("part") == "holdout")
    assert seen.join(held, on=["parquet", "row"]).is_empty()
    backbone = [] if config.backbone.frozen else ["backbone"]
    assert loaded.card.trained == ["model", "scorer", *backbone]


def test_the_checkpoint_answers_as_the_best_epoch_did(shards: Shards, store: Store) -> None:
    """Through the predictor, from the files alone, on the validation's own images."""
    report = train(store, shards, store.models / "first", TINY)
    rows = list_rows(shards).rows
    split = split_rows(rows, TINY.split)
    samples = [
        draw_challenge(rows[k], int(k), number, 0, TINY.dataset)
        for k in split.validation
        for number in range(2)
    ]
    images = [
        decode_jpeg(jpeg) for jpeg in build_jpegs(samples, shards, 0, 1) if isinstance(jpeg, bytes)
    ]
    predictor = load_predictor(store.models / "first")
    answers = predictor.predict(Batch([str(k) for k in range(len(images))], images))
    labels = np.array([sample.challenge.label for sample in samples])
    score = mcc(confusion_counts(predicted_class(answers.probability), labels))
    assert score == pytest.approx(report.best.mcc)


def test_a_scorer_that_no_loss_reached_is_not_called_trained(shards: Shards, store: Store) -> None:
    blind = replace(FROZEN, loss=LossSettings(scorer=0.0))
    train(store, shards, store.models / "first", blind)
    loaded = load_checkpoint(store.models / "first")
    assert loaded.card.trained == ["model"]
    with pytest.raises(RunError, match="never trained"):
        load_predictor(store.models / "first", settings=PredictorSettings(keep=6))


def test_the_best_epoch_is_kept_not_the_last(
    shards: Shards, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {1: (0.1, 0.3), 2: (0.6, 0.5), 3: (0.6, 0.4), 4: (0.2, 0.1)}

    def evaluated(trainer: Trainer) -> EpochMetrics:
        score, validation_loss = scores[trainer._epoch]
        return EpochMetrics(trainer._epoch, trainer.steps, 1.0, validation_loss, score, 10)

    monkeypatch.setattr(Trainer, "_evaluate", evaluated)
    report = train(store, shards, store.models / "first", with_training(TINY, epochs=4))
    assert report.best.epoch == 3
    assert [epoch.epoch for epoch in report.epochs] == [1, 2, 3, 4]
    card = load_checkpoint(store.models / "first").card
    assert card.training["epoch"]["epoch"] == 3


def test_epochs_without_anything_better_end_a_training(
    shards: Shards, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluated(trainer: Trainer) -> EpochMetrics:
        score = 0.5 if trainer._epoch == 2 else 0.1
        return EpochMetrics(trainer._epoch, trainer.steps, 1.0, 1.0, score, 10)

    monkeypatch.setattr(Trainer, "_evaluate", evaluated)
    config = with_training(TINY, epochs=20, patience=3)
    report = train(store, shards, store.models / "first", config)
    assert [epoch.epoch for epoch in report.epochs] == [1, 2, 3, 4, 5]
    assert report.best.epoch == 2


def test_the_same_training_gives_the_same_bits(
    shards: Shards, store: Store, tmp_path: Path
) -> None:
    first = train(store, shards, tmp_path / "a", TINY)
    again = train(Store(tmp_path / "other"), shards, tmp_path / "b", TINY)
    assert (first.run_id, first.epochs) == (again.run_id, again.epochs)
    a, b = (load_checkpoint(tmp_path / name) for name in "ab")
    assert a.sha256 == b.sha256
    seeded = with_training(TINY, seed=1)
    assert train(store, shards, tmp_path / "c", seeded).run_id != first.run_id
    assert load_checkpoint(tmp_path / "c").sha256 != a.sha256


def test_a_finished_training_is_not_done_twice(
    shards: Shards, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = store.models / "first"
    first = train(store, shards, out, TINY)
    monkeypatch.setattr(Trainer, "epochs", None)
    notes: list[str] = []
    assert train(store, shards, out, TINY, note=notes.append) == first
    assert "already" in notes[0]


def test_two_of_the_same_training_are_told_apart(shards: Shards, store: Store) -> None:
    train(store, shards, store.models / "first", FROZEN)
    [run] = store.runs.iterdir()
    lock = lock_run(run)
    with pytest.raises(RunError, match="another process that works on this very run"):
        train(store, shards, store.models / "second", FROZEN)
    lock.release()


def test_another_checkpoint_in_the_folder_is_not_replaced_unasked(
    shards: Shards, store: Store
) -> None:
    out = store.models / "first"
    train(store, shards, out, TINY)
    other = with_training(TINY, seed=5)
    before = load_checkpoint(out).sha256
    with pytest.raises(RunError, match=r"another checkpoint.*--replace"):
        train(store, shards, out, other)
    assert load_checkpoint(out).sha256 == before
    train(store, shards, out, other, replace_checkpoint=True)
    assert load_checkpoint(out).sha256 != before


@pytest.mark.parametrize("config", [TINY, FROZEN], ids=["trained", "frozen"])
def test_rows_whose_image_is_damaged_are_left_out(
    tmp_path: Path, store: Store, config: TrainingConfig
) -> None:
    (path,) = write_shards(tmp_path / "sources", replace(SCENES, shards=1))
    rows = pq.read_table(path).to_pylist()
    for row in (3, 20):
        raw = rows[row]["image"]["bytes"]
        rows[row]["image"]["bytes"] = raw[: len(raw) // 2]
    pq.write_table(pq.read_table(path).from_pylist(rows, schema=pq.read_schema(path)), path)
    report = train(store, Shards(tmp_path / "sources"), tmp_path / "out", config)
    assert report.training + report.validation + report.holdout <= 36
    assert (
        sum(report.left_out.values()) == 36 - report.training - report.validation - report.holdout
    )
    assert set(report.left_out) == {"bytes unreadable"}


def test_features_of_a_frozen_backbone_are_made_once(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(store, shards, tmp_path / "a", FROZEN)
    monkeypatch.setattr("model.datasets.features.build_jpegs", None)
    again = train(store, shards, tmp_path / "b", FROZEN)
    assert first.epochs == again.epochs


def test_the_model_gets_metadata_only_where_asked(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "model.training.context.TextVectors",
        lambda _cache: lambda texts: np.full((len(texts), 384), 384**-0.5, np.float32),
    )
    with_metadata = replace(FROZEN, dataset=replace(FROZEN.dataset, metadata=True))
    assert not train(store, shards, tmp_path / "with", with_metadata).image_only
    without = train(store, shards, tmp_path / "without", FROZEN)
    assert without.image_only
    tables = [
        load_checkpoint(tmp_path / name).model.metadata.tables for name in ("with", "without")
    ]
    assert load_checkpoint(tmp_path / "without").card.training["metadata"] is False
    assert not torch.equal(tables[0]["weather"], tables[1]["weather"])
