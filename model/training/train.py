"""A training from source rows to a checkpoint with its provenance."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from data.errors import RunError
from data.machine.processes import cores
from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.backbone.backbone import Backbone, BackboneSettings, load_backbone
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.card import BACKBONE, CARD, MODEL, SCORER, read_card
from model.checkpoint.checkpoint import save_checkpoint
from model.metadata.tensors import MetadataTensors, metadata_tensors
from model.metadata.text_vectors import TextVectors
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.training.epoch import EpochMetrics
from model.training.input_builder import InputBuilder
from model.training.losses import LossSettings
from model.training.run_folder import TrainingRun, open_training_run
from model.training.settings import Precision, TrainSettings
from model.training.source_rows import Split, list_rows, split_rows, training_table
from model.training.trainer import Dataset, Trainer, make_dataset, precision_on
from model.training.training_row import TrainingRow
from replay.candidates.float32 import processor_name

# Each holds a row group and a decoded image.
_MOST_THREADS = 8


@dataclass(frozen=True)
class TrainReport:
    """What came of a training.

    `training` and `validation` are rows, in `streets` that no two sides share; `left_out` counts
    the other rows by reason. `epochs` is the course; `best` is the one that was kept, by MCC on the
    validation's images: being the best of several, it flatters a little.
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

    settings: TrainSettings
    backbone: BackboneSettings
    model: ModelSettings = field(default_factory=ModelSettings)
    loss: LossSettings = field(default_factory=LossSettings)


def train(
    store: Store,
    shards: Shards,
    out: Path,
    config: TrainingConfig,
    *,
    again: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
) -> TrainReport:
    """Train on the rows of shards and keep the best epoch's checkpoint in `out`.

    The same training is not done twice: where `out` holds its checkpoint, its report is read.

    Args:
        store: gets the run's folder; keeps features of a frozen backbone.
        shards: the source rows.
        out: the checkpoint's folder, made if it does not exist.
        config: how.
        again: replace a checkpoint of another training.
        progress: shows long work.
        note: takes a line for a person.

    Raises:
        SourceError: no sources, or not of the public data set's form.
        RunError: rows that cannot be split, a folder that holds another checkpoint, a backbone that
            cannot be had, too little memory.
    """
    listed = list_rows(shards)
    split = split_rows(listed.rows, config.settings.validation, config.settings.seed)
    backbone = load_backbone(config.backbone)
    config = replace(config, model=replace(config.model, features=backbone.width))
    run = open_training_run(store, _decisive(config, shards, listed.rows, split, backbone))
    with run.locked():
        if (done := _finished(out, run)) is not None:
            note(f"{out} holds this very training already")
            return done
        _check_out(out, run, again=again)
        work = _TrainingRun(store, shards, out, config, run, backbone, progress)
        return work.train(listed.rows, split, listed.left_out)


def _decisive(
    config: TrainingConfig,
    shards: Shards,
    rows: list[TrainingRow],
    split: Split,
    backbone: Backbone,
) -> dict[str, Any]:
    used = [(row.parquet, row.row) for row in rows]
    return {
        "recipe": asdict(config),
        "sources": shards.fingerprints(used),
        "training_rows": len(split.training),
        "validation_rows": len(split.validation),
        "streets": split.streets,
        "backbone_fingerprint": backbone.fingerprint,
        "device": next(backbone.parameters()).device.type,
        "precision": precision_on(config.settings.precision, next(backbone.parameters()).device),
    }


def _finished(out: Path, run: TrainingRun) -> TrainReport | None:
    """The report of this training, if `out` holds its checkpoint and it came to its end."""
    if _training_of(out) != run.run_id:
        return None
    try:
        outcome = json.loads((run.path / "run.json").read_text("utf-8"))["outcome"]
        epochs = [EpochMetrics(**one) for one in outcome.pop("epochs")]
        best = EpochMetrics(**outcome.pop("best"))
        return TrainReport(**outcome | {"epochs": epochs, "best": best, "out": str(out)})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _training_of(out: Path) -> str | None:
    """The run that trained the checkpoint in a folder; None if there is none."""
    if not (out / CARD).is_file():
        return None
    try:
        return str(read_card(out).training.get("run_id"))
    except RunError:
        return "unreadable"


def _check_out(out: Path, run: TrainingRun, *, again: bool) -> None:
    found = _training_of(out)
    if found not in (None, run.run_id) and not again:
        raise RunError(
            f"--out {out}",
            found=f"another checkpoint (training {found})",
            expected="an empty folder, or this training's own",
            remedy="name another folder, or --replace it",
        )
    if out.exists() and not out.is_dir():
        raise RunError(f"--out {out}", found="a file", expected="a folder")


class _TrainingRun:
    """One training, under way."""

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
        settings = config.settings
        threads = min(_MOST_THREADS, cores())
        self._maker = InputBuilder(
            *(shards, backbone, settings.images, settings.seed, threads, store.features),
            arithmetic=settings.arithmetic,
        )

    def train(
        self, rows: list[TrainingRow], split: Split, left_out: Mapping[str, int]
    ) -> TrainReport:
        sides = [[rows[place] for place in places] for places in (split.training, split.validation)]
        images = self._config.settings.images * len(rows)
        with self._progress("images", images) as on_progress:
            training, validation = (self._side(side, on_progress) for side in sides)
        model = StreetModel(self._config.model).to(next(self._backbone.parameters()).device)
        trainer = Trainer(model, self._backbone, self._config.settings, self._config.loss)
        epochs: list[EpochMetrics] = []
        best: EpochMetrics | None = None
        with self._progress("rows", self._config.settings.epochs * len(sides[0])) as on_progress:
            for epoch in trainer.epochs(training, validation, on_progress):
                epochs.append(epoch)
                if best is None or (epoch.mcc, -epoch.validation_loss) > (
                    best.mcc,
                    -best.validation_loss,
                ):
                    best = epoch
                    self._keep(model, trainer.precision, epoch, sides)
                self._run.write(epochs)
        if best is None:
            raise RuntimeError("settings allow no training without an epoch")
        report = TrainReport(
            run_id=self._run.run_id,
            out=str(self._out),
            backbone=self._config.backbone.name,
            image_only=not self._config.settings.metadata,
            training=training.row_count,
            validation=validation.row_count,
            streets=split.streets,
            left_out={**left_out, **self._maker.left_out},
            epochs=epochs,
            best=best,
        )
        self._run.write(epochs, asdict(report))
        return report

    def _side(self, rows: list[TrainingRow], on_progress: Callable[[int], Any]) -> Dataset:
        return make_dataset(rows, self._maker.make(rows, on_progress), self._metadata(rows))

    def _metadata(self, rows: list[TrainingRow]) -> MetadataTensors | None:
        if not self._config.settings.metadata:
            return None
        return metadata_tensors(
            [row.metadata for row in rows], TextVectors(self._store.text_vectors)
        )

    def _keep(
        self,
        model: StreetModel,
        precision: Precision,
        epoch: EpochMetrics,
        sides: list[list[TrainingRow]],
    ) -> None:
        """Save the model as it is now, and which rows had a part in it: those that chose it too."""
        frozen = self._backbone.settings.frozen
        training = {
            "run_id": self._run.run_id,
            "epoch": asdict(epoch),
            "training_rows": len(sides[0]),
            "validation_rows": len(sides[1]),
            "metadata": self._config.settings.metadata,
            "trained": self._trained(),
            "arithmetic": self._config.settings.arithmetic,
            "processor": processor_name(next(self._backbone.parameters()).device),
            "precision": precision,
        }
        card = card_of(model.settings, self._backbone, training)
        rows = io.BytesIO()
        training_table([row for side in sides for row in side]).write_parquet(rows)
        save_checkpoint(
            *(self._out, model, card, None if frozen else self._backbone), rows.getvalue()
        )

    def _trained(self) -> list[str]:
        """Which parts the loss has reached; weight decay moves the others too."""
        parts = {
            MODEL: True,
            SCORER: self._config.loss.scorer > 0,
            BACKBONE: not self._backbone.settings.frozen,
        }
        return [part for part, trained in parts.items() if trained]
