"""The best folds' models as one predictor: the mean of their weights.

A uniform soup (Wortsman et al., arXiv 2203.05482): sound because all begin at one base's weights.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from model.backbone.backbone import Backbone
from model.checkpoint.average import average_weights
from model.checkpoint.backbone_in_card import card_of, with_weights_named_in
from model.checkpoint.card import BACKBONE, MODEL, SCORER, ModelCard
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from model.fine_tuning.report import NO_OWN_SCORE, FoldReport
from model.network.street_model import StreetModel
from model.optimization.config import TrainingConfig
from model.training.base_checkpoint import Base
from model.training.run_folder import TrainingRun
from replay.candidates.float32 import processor_name


@dataclass(frozen=True)
class AveragedFolds:
    """Numbers of the folds that are averaged, of how many, and the rows that they saw."""

    averaged: Sequence[int]
    folds: int
    rows: pl.DataFrame


def best_folds(folds: Sequence[FoldReport], count: int) -> list[int]:
    """Rising numbers of so many folds with the highest MCC, by validation loss where it is equal.

    Each is scored on rows of its own, so that the order is partly chance.
    """
    ranked = sorted(folds, key=lambda fold: fold.best.rank, reverse=True)
    return sorted(fold.fold for fold in ranked[:count])


def save_average(
    out: Path,
    run: TrainingRun,
    base: Base,
    backbone: Backbone,
    config: TrainingConfig,
    chosen: AveragedFolds,
) -> None:
    """Save the mean of the folds' weights as a checkpoint, whole or not at all.

    Args:
        out: its folder.
        run: of the fine-tuning; its folds are done.
        base: what was fine-tuned.
        backbone: the base's; it stays as it is.
        config: of the folds' trainings.
        chosen: the folds.

    Raises:
        RunError: a fold's checkpoint is damaged.
        WriteError: `out` cannot be written; it holds what it held before.
    """
    average = average_weights([load_checkpoint(run.fold(n).best) for n in chosen.averaged])
    street = StreetModel(config.model)
    street.load_state_dict(average.model)
    if not backbone.frozen:
        backbone = copy.deepcopy(backbone)
        backbone.load_trained(average.backbone)
    device = next(backbone.parameters()).device
    training = {
        "run_id": run.run_id,
        "fine_tuned_from": base.named,
        "folds": chosen.folds,
        "averaged_folds": list(chosen.averaged),
        "note": NO_OWN_SCORE,
        "training_rows": chosen.rows.height,
        "metadata": config.dataset.metadata,
        "trained": _trained_parts(base.checkpoint.card, config),
        "arithmetic": config.dataset.arithmetic,
        "processor": processor_name(device),
    }
    card = card_of(street.settings, backbone, training)
    save_checkpoint(
        out,
        street,
        with_weights_named_in(base.checkpoint.card, card),
        backbone.trained_tensors(),
        pl.concat([base.rows, chosen.rows]).unique(("parquet", "row"), maintain_order=True),
    )


def _trained_parts(base: ModelCard, config: TrainingConfig) -> list[str]:
    """The parts that the base's training reached, or this one; `card_of` adds the backbone."""
    reached = {*base.trained, MODEL, *([SCORER] if config.loss.scorer > 0 else [])}
    return [part for part in (MODEL, SCORER, BACKBONE) if part in reached]
