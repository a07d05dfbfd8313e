"""The base of a fine-tuning: a checkpoint, the rows it was trained on, and its backbone."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import torch

from analytics.leaks.training_rows import read_training_rows
from data.errors import RunError
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import AdapterSettings, BackboneSettings
from model.checkpoint.backbone_in_card import backbone_of, backbone_settings
from model.checkpoint.checkpoint import Checkpoint, load_checkpoint
from model.fine_tuning.settings import FineTuningConfig, FineTuningSettings
from model.optimization.config import TrainingConfig, check_adapter
from replay.candidates.predictor import TRAINING_ROWS


@dataclass(frozen=True)
class Base:
    """A checkpoint and the rows that it was trained on, as `read_training_rows` reads them."""

    checkpoint: Checkpoint
    rows: pl.DataFrame

    @property
    def run_id(self) -> str | None:
        """The id of the training that made it; None if its card does not say."""
        run_id = self.checkpoint.card.training.get("run_id")
        return None if run_id is None else str(run_id)


def load_base(folder: Path) -> Base:
    """The base in a checkpoint's folder.

    Raises:
        RunError: no whole checkpoint, or one that does not say which rows it was trained on.
        SourceError: its rows cannot be read.
    """
    checkpoint = load_checkpoint(folder)
    if checkpoint.training_rows is None:
        raise RunError(
            f"checkpoint {folder}",
            found=f"no {TRAINING_ROWS}",
            expected="the rows that it was trained on: a fine-tuning leaves them out",
            remedy="fine-tune a checkpoint that `streetreplay train` wrote",
        )
    return Base(checkpoint, read_training_rows(checkpoint.training_rows))


def tuned_config(base: Base, config: FineTuningConfig) -> TrainingConfig:
    """The settings of a training of each fold: the base's own model and backbone.

    A model that was trained with metadata gets it.

    Raises:
        RunError: metadata for an image-only model, or a backbone that cannot be trained further so.
    """
    card = base.checkpoint.card
    if config.dataset.metadata:
        card.check_metadata("the base model")
    with_metadata = card.training.get("metadata") is True
    return TrainingConfig(
        training=config.training,
        optimizer=config.optimizer,
        loss=config.loss,
        dataset=replace(config.dataset, metadata=with_metadata),
        backbone=_backbone_settings(base, config),
        model=replace(card.settings, dropout=config.fine_tuning.dropout),
    )


def base_backbone(
    base: Base, settings: BackboneSettings, device: torch.device | str | None
) -> Backbone:
    """The base's backbone with all its weights, of which `settings.trained` is to be trained.

    Where nothing is, it is frozen, whatever was trained of it before; its own settings then still
    say what was.

    Args:
        base: its card describes the backbone.
        settings: of `tuned_config`.
        device: as in `load_backbone`.

    Raises:
        RunError: the backbone cannot be had, or is not the one that the base was trained with.
    """
    # also where it is trained: only a frozen one is compared with the card
    frozen = backbone_of(base.checkpoint, device)
    if settings.frozen:
        return frozen
    del frozen
    backbone = load_backbone(settings, device)
    backbone.load_trained(backbone.trained_tensors() | dict(base.checkpoint.backbone))
    return backbone


def check_averageable(backbone: Backbone, settings: FineTuningSettings) -> None:
    """Refuse to train what cannot be averaged: counts of batches, and the statistics beside them.

    Statistics of batch normalisation are not those of averaged weights (Izmailov et al., arXiv
    1803.05407, section 3.2).

    Raises:
        RunError: which tensor it is.
    """
    if backbone.frozen or settings.averaged_folds == 1:
        return
    for name, tensor in backbone.trained_tensors().items():
        if not tensor.is_floating_point():
            raise RunError(
                f"--train-backbone {settings.trained}",
                found=f"{name} in {backbone.settings.name}: batch normalisation, whose statistics "
                "have no mean",
                expected="a backbone without it, such as a vision transformer",
                remedy="leave out --train-backbone, or --averaged-folds 1",
            )


def _backbone_settings(base: Base, config: FineTuningConfig) -> BackboneSettings:
    """The settings of the base's backbone, with what is trained of it in this fine-tuning."""
    written, chosen = backbone_settings(base.checkpoint.card), config.fine_tuning
    check_adapter(chosen.trained, config.adapter)
    if chosen.trained == "none":
        return replace(written, trained="none")
    settings = replace(
        written,
        trained=chosen.trained,
        last_blocks=chosen.last_blocks,
        checkpointing=chosen.checkpointing,
        adapter=config.adapter,
    )
    if written.trained == "adapters" and config.adapter == AdapterSettings():
        settings = replace(settings, adapter=written.adapter, last_blocks=written.last_blocks)
    if not _covers(settings, written):
        raise RunError(
            f"--train-backbone {_words(settings)}",
            found=f"a base whose backbone was trained: {_words(written)}",
            expected="all that was trained of it, for only what is trained is stored",
            remedy="train the same parts or more, or leave out --train-backbone",
        )
    return settings


def _covers(settings: BackboneSettings, written: BackboneSettings) -> bool:
    """Whether all that was trained of a backbone is trained by other settings too."""
    match written.trained:
        case "none":
            return True
        case "adapters":
            same = replace(settings, checkpointing=written.checkpointing)
            return same == written
        case "last":
            fewer = settings.trained == "last" and settings.last_blocks < written.last_blocks
            return settings.trained in ("last", "all") and not fewer
        case "all":
            return settings.trained == "all"


def _words(settings: BackboneSettings) -> str:
    match settings.trained:
        case "last":
            return f"last --last-blocks {settings.last_blocks}"
        case "adapters":
            adapter = settings.adapter
            return f"adapters ({adapter.kind}, rank {adapter.rank}, alpha {adapter.alpha:g})"
    return settings.trained
