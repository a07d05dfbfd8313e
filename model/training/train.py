"""A training, from source rows to a checkpoint with its provenance."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from data.errors import RunError
from data.machine.processes import cores
from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.card import BACKBONE, CARD, MODEL, SCORER, read_card
from model.checkpoint.checkpoint import save_checkpoint
from model.datasets.source_rows import ListedRows, list_rows, training_table
from model.datasets.split import Split, split_rows
from model.datasets.training_row import TrainingRow
from model.metadata.tensors import MetadataTensors, metadata_tensors
from model.metadata.text_vectors import TextVectors
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.training.dataset import Dataset, make_dataset
from model.training.input_builder import InputBuilder
from model.training.run_folder import TrainingRun, open_training_run
from model.training.settings import LossSettings, Precision, TrainSettings
from model.training.trainer import EpochMetrics, Trainer, precision_on
from replay.candidates.float32 import processor_name

# Each holds a row group and a decoded image.
_MOST_THREADS = 8


@dataclass(frozen=True)
class TrainReport:
    """The result of a training.

    `training` and `validation` count rows of the two splits, and `streets` what no two splits
    share; `left_out` counts the other rows by reason. `epochs` has the metrics of all epochs;
    `best` is the epoch whose model was kept, by MCC on the validation images: the best of several,
    so it flatters a little.
    """

    run_id: str
    out: str
    backbone: str
    image_only: bool
    training: int
    validation: int
    streets: int
    left_out: dict[str, int]
    epochs: list[EpochMetrics]
    best: EpochMetrics


@dataclass(frozen=True)
class TrainingConfig:
    """All settings of a training."""

    training: TrainSettings
    backbone: BackboneSettings
    model: ModelSettings = field(default_factory=ModelSettings)
    loss: LossSettings = field(default_factory=LossSettings)


def train(
    store: Store,
    shards: Shards,
    out: Path,
    config: TrainingConfig,
    *,
    replace_checkpoint: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
) -> TrainReport:
    """Train on the rows of shards and keep the best epoch's checkpoint in `out`.

    The same training is not done twice: where `out` holds its checkpoint, its report is read.

    Args:
        store: gets the run's folder; keeps features of a frozen backbone.
        shards: the source rows.
        out: the checkpoint's folder, made if it does not exist.
        config: all settings.
        replace_checkpoint: of another training, where `out` holds one.
        progress: shows long work.
        note: takes a line for a person.

    Raises:
        SourceError: no sources, or not of the public data set's form.
        RunError: rows that cannot be split, a folder that holds another checkpoint, a backbone that
            cannot be had, too little memory.
    """
    listed = list_rows(shards)
    split = split_rows(listed.rows, config.training.validation, config.training.seed)
    backbone = load_backbone(config.backbone)
    config = replace(config, model=replace(config.model, features=backbone.width))
    run = open_training_run(store, _determining(config, shards, listed.rows, split, backbone))
    with run.locked():
        if (report := _finished_report(out, run)) is not None:
            note(f"{out} holds this very training already")
            return report
        _check_out(out, run, replace_checkpoint=replace_checkpoint)
        training = _Training(store, shards, out, config, run, backbone, progress)
        return training.train(listed, split)


def _determining(
    config: TrainingConfig,
    shards: Shards,
    rows: list[TrainingRow],
    split: Split,
    backbone: Backbone,
) -> dict[str, Any]:
    """All that determines the weights, as `run.json` has it."""
    device = next(backbone.parameters()).device
    return {
        "config": asdict(config),
        "sources": shards.fingerprints([(row.parquet, row.row) for row in rows]),
        "training_rows": len(split.training),
        "validation_rows": len(split.validation),
        "streets": split.streets,
        "backbone_fingerprint": backbone.fingerprint,
        "device": device.type,
        "precision": precision_on(config.training.precision, device),
    }


def _finished_report(out: Path, run: TrainingRun) -> TrainReport | None:
    """The report of this training, if `out` holds its checkpoint and it came to its end."""
    if _training_of(out) != run.run_id:
        return None
    try:
        outcome = json.loads((run.path / "run.json").read_text("utf-8"))["outcome"]
        epochs = [EpochMetrics(**epoch) for epoch in outcome.pop("epochs")]
        best = EpochMetrics(**outcome.pop("best"))
        return TrainReport(**outcome | {"epochs": epochs, "best": best, "out": str(out)})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _training_of(out: Path) -> str | None:
    """The run id of the training whose checkpoint is in a folder; None if there is none."""
    if not (out / CARD).is_file():
        return None
    try:
        return str(read_card(out).training.get("run_id"))
    except RunError:
        return "unreadable"


def _check_out(out: Path, run: TrainingRun, *, replace_checkpoint: bool) -> None:
    other = _training_of(out)
    if other not in (None, run.run_id) and not replace_checkpoint:
        raise RunError(
            f"--out {out}",
            found=f"another checkpoint (training {other})",
            expected="an empty folder, or this training's own",
            remedy="name another folder, or --replace it",
        )
    if out.exists() and not out.is_dir():
        raise RunError(f"--out {out}", found="a file", expected="a folder")


class _Training:
    """A training in progress."""

    def __init__(
        self,
        store: Store,
        shards: Shards,
        out: Path,
        config: TrainingConfig,
        run: TrainingRun,
        backbone: Backbone,
        progress: Progress,
    ) -> None:
        self._store, self._out, self._config, self._run = store, out, config, run
        self._backbone, self._progress = backbone, progress
        self._device = next(backbone.parameters()).device
        self._builder = InputBuilder(
            shards,
            backbone,
            config.training.images,
            config.training.seed,
            threads=min(_MOST_THREADS, cores()),
            cache=store.features,
            arithmetic=config.training.arithmetic,
        )

    def train(self, listed: ListedRows, split: Split) -> TrainReport:
        rows = _SplitRows(
            training=[listed.rows[index] for index in split.training],
            validation=[listed.rows[index] for index in split.validation],
        )
        with self._progress("images", self._config.training.images * len(rows.all)) as on_progress:
            training = self._dataset(rows.training, on_progress)
            validation = self._dataset(rows.validation, on_progress)
        epochs, best = self._train_epochs(rows, training, validation)
        report = TrainReport(
            run_id=self._run.run_id,
            out=str(self._out),
            backbone=self._config.backbone.name,
            image_only=not self._config.training.metadata,
            training=training.row_count,
            validation=validation.row_count,
            streets=split.streets,
            left_out={**listed.left_out, **self._builder.left_out},
            epochs=epochs,
            best=best,
        )
        self._run.write(epochs, asdict(report))
        return report

    def _train_epochs(
        self, rows: "_SplitRows", training: Dataset, validation: Dataset
    ) -> tuple[list[EpochMetrics], EpochMetrics]:
        """The metrics of all epochs and of the best one, whose model is kept."""
        model = StreetModel(self._config.model).to(self._device)
        trainer = Trainer(model, self._backbone, self._config.training, self._config.loss)
        epochs: list[EpochMetrics] = []
        best: EpochMetrics | None = None
        row_count = self._config.training.epochs * len(rows.training)
        with self._progress("rows", row_count) as on_progress:
            for epoch in trainer.epochs(training, validation, on_progress):
                epochs.append(epoch)
                if best is None or _rank(epoch) > _rank(best):
                    best = epoch
                    self._save_checkpoint(model, trainer.precision, epoch, rows)
                self._run.write(epochs)
        if best is None:
            raise RuntimeError("settings allow no training without an epoch")
        return epochs, best

    def _dataset(self, rows: list[TrainingRow], on_progress: Callable[[int], Any]) -> Dataset:
        return make_dataset(rows, self._builder.build(rows, on_progress), self._metadata(rows))

    def _metadata(self, rows: list[TrainingRow]) -> MetadataTensors | None:
        if not self._config.training.metadata:
            return None
        return metadata_tensors(
            [row.metadata for row in rows], TextVectors(self._store.text_vectors)
        )

    def _save_checkpoint(
        self, model: StreetModel, precision: Precision, epoch: EpochMetrics, rows: "_SplitRows"
    ) -> None:
        """Save the model as it is now, and all rows: those of the validation chose it."""
        frozen = self._backbone.settings.frozen
        training = {
            "run_id": self._run.run_id,
            "epoch": asdict(epoch),
            "training_rows": len(rows.training),
            "validation_rows": len(rows.validation),
            "metadata": self._config.training.metadata,
            "trained": self._trained_parts(),
            "arithmetic": self._config.training.arithmetic,
            "processor": processor_name(self._device),
            "precision": precision,
        }
        card = card_of(model.settings, self._backbone, training)
        table = io.BytesIO()
        training_table(rows.all).write_parquet(table)
        backbone = None if frozen else self._backbone
        save_checkpoint(self._out, model, card, backbone, table.getvalue())

    def _trained_parts(self) -> list[str]:
        """Which parts the loss has reached; weight decay moves the others too."""
        parts = {
            MODEL: True,
            SCORER: self._config.loss.scorer > 0,
            BACKBONE: not self._backbone.settings.frozen,
        }
        return [part for part, trained in parts.items() if trained]


@dataclass(frozen=True)
class _SplitRows:
    """The rows of the two splits."""

    training: list[TrainingRow]
    validation: list[TrainingRow]

    @property
    def all(self) -> list[TrainingRow]:
        return self.training + self.validation


def _rank(epoch: EpochMetrics) -> tuple[float, float]:
    """The best epoch has the highest: by MCC, then by validation loss."""
    return epoch.mcc, -epoch.validation_loss
