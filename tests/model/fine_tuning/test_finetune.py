"""A fine-tuning from a checkpoint to an average of folds, scored out of fold."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import matthews_corrcoef

from analytics.leaks.training_rows import read_training_rows
from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from model.checkpoint.backbone_in_card import backbone_of
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from model.checkpoint.predictor import load_named
from model.datasets.challenge_draws import decode_jpeg, draw_challenge
from model.datasets.jpegs import build_jpegs
from model.fine_tuning.finetune import finetune
from model.optimization.trainer import Trainer
from model.rows.source_rows import list_rows
from model.rows.streets import streets_of_rows
from model.training.session import Session
from replay.candidates.description import describe
from replay.candidates.predictor import Batch
from replay.candidates.registry import LoadSettings
from replay.runs.training_rows import keep_training_rows
from tests.model.fine_tuning.conftest import Tuned
from tests.model.fine_tuning.drawn_base import TINY, DrawnBase

NAMES = ["parquet", "row"]


def answers_of(tuned: Tuned) -> pl.DataFrame:
    return pl.read_parquet(tuned.kept / "out_of_fold.parquet")


def names(frame: pl.DataFrame) -> set[Any]:
    return set(frame.select(NAMES).iter_rows())


def test_rows_of_the_base_and_of_its_holdout_are_left_out(base: DrawnBase, tuned: Tuned) -> None:
    report = tuned.report
    assert report.rows == 60
    assert report.left_out["in the base training"] == base.report.training + base.report.validation
    assert sum(report.left_out.values()) == 36
    assert answers_of(tuned)["parquet"].str.starts_with("new-").all()
    split = pl.read_parquet(base.store.runs / base.report.run_id / "split.parquet")
    held = names(split.filter(part="holdout"))
    assert len(held) == base.report.holdout > 0
    own = pl.read_parquet(base.store.runs / report.run_id / "split.parquet")
    # so that a fine-tuning of the result leaves it out too
    assert names(own.filter(part="holdout")) == held
    assert names(own.filter(part="fold")) == names(answers_of(tuned))


def test_each_used_row_is_answered_once_by_a_model_that_saw_nothing_of_its_street(
    base: DrawnBase, tuned: Tuned
) -> None:
    answers = answers_of(tuned)
    assert answers.columns == [*NAMES, "draw", "fold", "label", "probability", "base_probability"]
    assert answers.height == tuned.report.images == 120
    assert answers.select(*NAMES, "draw").is_unique().all()
    assert answers["draw"].value_counts().sort("draw").rows() == [(0, 60), (1, 60)]
    rows = list_rows(base.sources).rows
    street_of_row = streets_of_rows(rows)
    streets = {(row.parquet, row.row): street_of_row[k] for k, row in enumerate(rows)}
    for number in (1, 2, 3):
        given = tuned.rows[f"fold-{number}"]
        seen = {(row.parquet, row.row) for row in given.training}
        scored = names(answers.filter(fold=number))
        assert scored == {(row.parquet, row.row) for row in given.validation}
        assert len(seen) + len(scored) == 60
        assert {streets[name] for name in seen}.isdisjoint(streets[name] for name in scored)


def test_answers_are_those_of_the_folds_models_and_of_the_base(
    base: DrawnBase, tuned: Tuned
) -> None:
    """Through the predictor, from the files alone, on images that are rebuilt for it."""
    validation = tuned.rows["fold-2"].validation
    samples = [
        draw_challenge(row, 0, draw, 0, TINY.dataset) for row in validation for draw in (0, 1)
    ]
    jpegs = build_jpegs(samples, base.sources, 0, 1)
    images = [decode_jpeg(jpeg) for jpeg in jpegs if isinstance(jpeg, bytes)]
    own = answers_of(tuned).filter(fold=2)
    for folder, column in (
        (tuned.kept / "fold-2" / "best", "probability"),
        (base.checkpoint, "base_probability"),
    ):
        predictor = load_named(str(folder), LoadSettings(), print)
        answered = predictor.predict(Batch([str(k) for k in range(len(images))], images))
        np.testing.assert_allclose(answered.probability, own[column].to_numpy(), atol=1e-5)


def test_scores_are_those_of_the_answers(tuned: Tuned) -> None:
    answers, report = answers_of(tuned), tuned.report

    def score(frame: pl.DataFrame, column: str) -> float:
        return float(matthews_corrcoef(frame["label"], frame[column].round()))

    scores = report.out_of_fold
    assert scores.mcc.value == pytest.approx(score(answers, "probability"))
    assert scores.base_mcc.value == pytest.approx(score(answers, "base_probability"))
    assert scores.difference.value == pytest.approx(scores.mcc.value - scores.base_mcc.value)
    assert scores.mcc.interval is not None
    assert scores.mcc.interval[0] < scores.mcc.interval[1]
    for fold in report.folds:
        own = answers.filter(fold=fold.fold)
        assert fold.best.mcc == pytest.approx(score(own, "probability"))
        assert fold.base_mcc == pytest.approx(score(own, "base_probability"))
        assert fold.best.n == own.height == 2 * fold.validation
        assert len(fold.epochs) == 2
    best = sorted(report.folds, key=lambda fold: (-fold.best.mcc, fold.best.validation_loss))
    assert report.averaged == sorted(fold.fold for fold in best[:2])
    assert "no out-of-fold score of its own" in report.note


def test_the_result_is_the_mean_of_the_best_folds(base: DrawnBase, tuned: Tuned) -> None:
    result, first = load_checkpoint(tuned.out), load_checkpoint(base.checkpoint)
    folds = [
        load_checkpoint(tuned.kept / f"fold-{number}" / "best") for number in tuned.report.averaged
    ]
    changed = 0
    for name, tensor in result.model.state_dict().items():
        values = [fold.model.state_dict()[name].double().numpy() for fold in folds]
        np.testing.assert_allclose(tensor.numpy(), np.mean(values, axis=0), rtol=1e-6, atol=1e-12)
        changed += not np.array_equal(tensor.numpy(), first.model.state_dict()[name].numpy())
    assert changed > 10
    card = result.card
    assert card.settings == replace(first.card.settings, dropout=0.2)
    assert card.training["run_id"] == tuned.report.run_id
    assert card.training["fine_tuned_from"] == tuned.report.base
    assert tuned.report.base == {"sha256": first.sha256, "run_id": base.report.run_id}
    assert card.training["averaged_folds"] == tuned.report.averaged
    assert card.trained == first.card.trained
    assert card.backbone_fingerprint == first.card.backbone_fingerprint
    backbone_of(result)  # it is the one that the card says


def test_the_result_answers_and_names_the_rows_that_it_saw(
    base: DrawnBase, tuned: Tuned, tmp_path: Path
) -> None:
    predictor = load_named(str(tuned.out), LoadSettings(), print)
    answered = predictor.predict(Batch(["a"], [np.zeros((224, 224, 3), np.uint8)]))
    assert 0 <= answered.probability[0] <= 1
    keep_training_rows(describe(predictor), tmp_path)
    seen = read_training_rows(tmp_path / "training_rows.parquet")
    first = load_checkpoint(base.checkpoint).training_rows
    assert first is not None
    assert names(seen) == names(read_training_rows(first)) | names(answers_of(tuned))
    assert seen.height == 33 + 60
    assert seen["vid_id"].is_not_null().all()


def test_nothing_is_left_of_what_only_an_unfinished_one_needs(
    base: DrawnBase, tuned: Tuned
) -> None:
    run = base.store.runs / tuned.report.run_id
    assert {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()} == {
        "run.json",
        "run.lock",
        "settings.toml",
        "split.parquet",
        "out_of_fold.parquet",
        *(f"fold-{k}/{name}" for k in (1, 2, 3) for name in ("metrics.jsonl", "curves.png")),
    }
    files = {path.name for path in tuned.out.iterdir()}
    assert files == {"model.json", "model.safetensors", "training_rows.parquet"}


def test_a_finished_fine_tuning_is_not_done_twice(
    base: DrawnBase, tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "train", None)
    notes: list[str] = []
    again = finetune(base.store, base.sources, base.checkpoint, tuned.out, TINY, note=notes.append)
    assert again == tuned.report
    assert "already" in notes[0]


def test_one_that_was_killed_goes_on_and_ends_in_the_same_bits(
    base: DrawnBase, tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second epoch of the second of three folds, whose epochs have 5 or 6 steps."""
    shutil.copytree(base.store.root, tmp_path / "store", ignore=shutil.ignore_patterns("finetune*"))
    store, out = Store(tmp_path / "store"), tmp_path / "out"
    real, steps = Trainer._batch, [0]

    def batch(trainer: Trainer, given: Any, weight: float) -> bool:
        steps[0] += 1
        if steps[0] == 20:
            raise KeyboardInterrupt
        return real(trainer, given, weight)

    monkeypatch.setattr(Trainer, "_batch", batch)
    with pytest.raises(KeyboardInterrupt):
        finetune(store, base.sources, base.checkpoint, out, TINY)
    with pytest.raises(RunError, match="unfinished training"):
        load_checkpoint(out)
    notes: list[str] = []
    report = finetune(store, base.sources, base.checkpoint, out, TINY, note=notes.append)
    assert notes[:2] == [
        "fold 1 of 3: done already",
        "fold 2 of 3: going on after epoch 1, at step 5",
    ]
    assert replace(report, out=tuned.report.out) == tuned.report
    assert load_checkpoint(out).sha256 == load_checkpoint(tuned.out).sha256
    own = pl.read_parquet(store.runs / report.run_id / "out_of_fold.parquet")
    assert own.equals(answers_of(tuned))


def test_a_base_that_does_not_name_its_rows_is_refused(base: DrawnBase, tmp_path: Path) -> None:
    loaded = load_checkpoint(base.checkpoint)
    save_checkpoint(tmp_path / "bare", loaded.model, loaded.card)
    with pytest.raises(RunError, match=r"no training_rows.parquet.*streetreplay train") as error:
        finetune(base.store, base.sources, tmp_path / "bare", tmp_path / "out", TINY)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_sources_without_a_new_row_are_refused(base: DrawnBase, tmp_path: Path) -> None:
    old = Shards(base.checkpoint.parent / "old")
    with pytest.raises(RunError, match="none: all 36 overlap"):
        finetune(base.store, old, base.checkpoint, tmp_path / "out", TINY)


def test_the_base_itself_and_other_checkpoints_are_not_replaced(
    base: DrawnBase, tuned: Tuned
) -> None:
    with pytest.raises(RunError, match="folder of the base itself"):
        finetune(
            base.store,
            base.sources,
            base.checkpoint,
            base.checkpoint,
            TINY,
            replace_checkpoint=True,
        )
    other = replace(TINY, fine_tuning=replace(TINY.fine_tuning, seed=1))
    with pytest.raises(RunError, match=r"another checkpoint \(training finetune-.*--replace"):
        finetune(base.store, base.sources, base.checkpoint, tuned.out, other)


def test_a_base_from_elsewhere_is_said_to_have_an_unknown_holdout(
    base: DrawnBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.fine_tuning.finetune.FoldTrainings", None)
    notes: list[str] = []
    with pytest.raises(TypeError):
        finetune(
            Store(tmp_path / "store"),
            base.sources,
            base.checkpoint,
            tmp_path / "out",
            TINY,
            note=notes.append,
        )
    assert f"({base.report.run_id}) is not in the store" in notes[0]
