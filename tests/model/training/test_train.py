import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import torch

from analytics.leaks.training_rows import read_training_rows
from analytics.scoring.metrics import confusion_counts, mcc
from analytics.scoring.predicted_class import predicted_class
from data.errors import RunError
from data.records.types import Geometry
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from data.store import Store
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.checkpoint import load_checkpoint
from model.checkpoint.predictor import PredictorSettings, load_predictor
from model.datasets.challenge_draws import decode_jpeg, draw_samples
from model.datasets.jpegs import build_jpegs
from model.datasets.source_rows import list_rows
from model.datasets.split import split_rows
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.training.settings import LossSettings, TrainSettings
from model.training.train import TrainingConfig, train
from model.training.trainer import EpochMetrics, Trainer
from replay.candidates.predictor import Batch
from replay.rebuilding.rebuild import Rebuilder
from replay.runs.run_lock import lock_run

SCENES = SceneSettings(seed=9, rows=36, row_group_rows=5, size_mix=(((320, 240), 1.0),))
TINY = TrainingConfig(
    TrainSettings(epochs=2, batch_size=8, images=2, validation=0.3),
    BackboneSettings("test_resnet", RANDOM, side=32, trained="all"),
    ModelSettings(width=32, heads=4, layers=1, prune_after=1, scorer_width=8),
    LossSettings(),
)
FROZEN = replace(TINY, backbone=replace(TINY.backbone, frozen=True))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    folder = tmp_path_factory.mktemp("sources")
    write_shards(folder, SCENES)
    return Shards(folder)


@pytest.fixture(autouse=True)
def on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_challenges_are_drawn_as_a_validator_draws_them(shards: Shards) -> None:
    rows = list_rows(shards).rows
    samples = [sample for k, row in enumerate(rows) for sample in draw_samples(row, k, 24, seed=1)]
    levels = Counter(sample.challenge.augmentation.aug_level for sample in samples)
    assert levels.keys() == {0, 1, 2, 3}
    assert min(levels.values()) > 0.2 * len(samples)
    for sample in samples:
        assert sample.challenge.augmentation.geometry is Geometry.CROP
        if sample.challenge.augmentation.aug_level in (0, 1):
            assert sample.variant.distortions == type(sample.variant.distortions)()
    assert len({sample.variant.distortions for sample in samples}) > 50
    assert len({sample.challenge.challenge_id for sample in samples}) == len(samples)


def test_rows_of_one_scene_are_cut_and_distorted_alike(shards: Shards) -> None:
    rows = list_rows(shards).rows
    assert len({row.scene for row in rows}) == 36
    twin = replace(rows[0], parquet="other.parquet", row=7)
    nameless = {**rows[0].metadata, "vid_id": None}
    alone = replace(twin, metadata=nameless)
    assert alone.scene == "other.parquet 7"
    ours, twins, other = (draw_samples(row, 0, 3, seed=1) for row in (rows[0], twin, alone))
    for first, second, third in zip(ours, twins, other, strict=True):
        assert first.variant == second.variant
        assert first.challenge.augmentation == second.challenge.augmentation
        assert first.challenge.challenge_id != second.challenge.challenge_id
        assert first.challenge.augmentation != third.challenge.augmentation or first.variant != (
            third.variant
        )


def test_images_are_what_replay_builds_whatever_the_threads(shards: Shards) -> None:
    rows = list_rows(shards).rows[:7]
    samples = [sample for k, row in enumerate(rows) for sample in draw_samples(row, k, 3, seed=1)]
    steps: list[int] = []
    alone = build_jpegs(samples, shards, 4, 1, steps.append)
    assert sum(steps) == len(samples)
    assert build_jpegs(samples, shards, 4, 3) == alone
    rebuilder = Rebuilder(shards, 4)
    for sample, jpeg in zip(samples, alone, strict=True):
        assert isinstance(jpeg, bytes)
        expected = rebuilder.rebuild(sample.challenge, sample.variant)
        assert jpeg == expected.jpeg
        assert np.array_equal(decode_jpeg(jpeg), expected.decoded())


@pytest.mark.parametrize("config", [TINY, FROZEN], ids=["trained", "frozen"])
def test_a_training_leaves_a_checkpoint_with_its_provenance(
    shards: Shards, store: Store, config: TrainingConfig
) -> None:
    out = store.models / "first"
    report = train(store, shards, out, config)
    assert report.training + report.validation == 36
    assert [epoch.epoch for epoch in report.epochs] == [1, 2]
    assert report.best.mcc == max(epoch.mcc for epoch in report.epochs)
    assert report.best.n == 2 * report.validation
    run = json.loads((store.runs / report.run_id / "run.json").read_text())
    assert run["outcome"]["best"] == vars(report.best)
    assert run["config"]["training"]["epochs"] == 2
    assert run["made_by"]["git_commit"]
    assert set(run["sources"]) == {path.name for path in shards.paths}
    assert pl.read_parquet(store.runs / report.run_id / "epochs.parquet").height == 2
    loaded = load_checkpoint(out)
    assert loaded.card.training["run_id"] == report.run_id
    assert loaded.card.training["epoch"] == vars(report.best)
    assert loaded.card.training["arithmetic"] == run["config"]["training"]["arithmetic"] == "avx2"
    assert run["made_by"]["processor"]["machine"]
    assert bool(loaded.backbone) is not config.backbone.frozen
    assert loaded.training_rows == out / "training_rows.parquet"
    assert read_training_rows(loaded.training_rows).height == 36
    backbone = [] if config.backbone.frozen else ["backbone"]
    assert loaded.card.trained == ["model", "scorer", *backbone]


def test_the_checkpoint_answers_as_the_best_epoch_did(shards: Shards, store: Store) -> None:
    """Through the predictor, from the files alone, on the validation's own images."""
    report = train(store, shards, store.models / "first", TINY)
    rows = list_rows(shards).rows
    split = split_rows(rows, 0.3, 0)
    samples = [sample for k in split.validation for sample in draw_samples(rows[k], int(k), 2, 0)]
    images = [
        decode_jpeg(jpeg) for jpeg in build_jpegs(samples, shards, 0, 1) if isinstance(jpeg, bytes)
    ]
    predictor = load_predictor(store.models / "first")
    answers = predictor.predict(Batch([str(k) for k in range(len(images))], images))
    labels = np.array([sample.challenge.label for sample in samples])
    score = mcc(confusion_counts(predicted_class(answers.probability), labels))
    assert score == pytest.approx(report.best.mcc)


def test_a_scorer_that_no_loss_reached_is_not_called_trained(shards: Shards, store: Store) -> None:
    """Though weight decay has moved its weights from the first ones."""
    blind = replace(FROZEN, loss=LossSettings(scorer=0.0))
    train(store, shards, store.models / "first", blind)
    loaded = load_checkpoint(store.models / "first")
    first = StreetModel(loaded.card.settings).scorer.state_dict()
    kept = loaded.model.scorer.state_dict()
    assert not all(torch.equal(kept[name], first[name]) for name in first)
    assert loaded.card.trained == ["model"]
    with pytest.raises(RunError, match="never trained"):
        load_predictor(store.models / "first", settings=PredictorSettings(keep=6))


def test_the_best_epoch_is_kept_not_the_last(
    shards: Shards, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {1: (0.1, 0.3), 2: (0.6, 0.5), 3: (0.6, 0.4), 4: (0.2, 0.1)}

    def evaluated(_self: Trainer, epoch: int, loss: float, _side: object) -> EpochMetrics:
        score, validation_loss = scores[epoch]
        return EpochMetrics(epoch, loss, validation_loss, score, 10)

    monkeypatch.setattr(Trainer, "_evaluate", evaluated)
    four = replace(TINY, training=replace(TINY.training, epochs=4))
    report = train(store, shards, store.models / "first", four)
    assert report.best.epoch == 3
    card = load_checkpoint(store.models / "first").card
    assert card.training["epoch"]["epoch"] == 3


def test_the_same_training_gives_the_same_bits(
    shards: Shards, store: Store, tmp_path: Path
) -> None:
    first = train(store, shards, tmp_path / "a", TINY)
    again = train(Store(tmp_path / "other"), shards, tmp_path / "b", TINY)
    assert (first.run_id, first.epochs) == (again.run_id, again.epochs)
    a, b = (load_checkpoint(tmp_path / name) for name in "ab")
    assert a.sha256 == b.sha256
    seeded = replace(TINY, training=replace(TINY.training, seed=1))
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
    other = replace(TINY, training=replace(TINY.training, seed=5))
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
    assert report.training + report.validation == 34
    assert report.left_out == {"bytes unreadable": 2}


def test_features_of_a_frozen_backbone_are_made_once(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(store, shards, tmp_path / "a", FROZEN)
    monkeypatch.setattr("model.training.input_builder.build_jpegs", None)
    again = train(store, shards, tmp_path / "b", FROZEN)
    assert first.epochs == again.epochs


def test_the_model_gets_metadata_only_where_asked(
    shards: Shards, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "model.training.train.TextVectors",
        lambda _cache: lambda texts: np.full((len(texts), 384), 384**-0.5, np.float32),
    )
    with_metadata = replace(FROZEN, training=replace(FROZEN.training, metadata=True))
    assert not train(store, shards, tmp_path / "with", with_metadata).image_only
    without = train(store, shards, tmp_path / "without", FROZEN)
    assert without.image_only
    tables = [
        load_checkpoint(tmp_path / name).model.metadata.tables for name in ("with", "without")
    ]
    assert load_checkpoint(tmp_path / "without").card.training["metadata"] is False
    assert not torch.equal(tables[0]["weather"], tables[1]["weather"])
