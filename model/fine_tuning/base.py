"""The settings of a fine-tuning's trainings, as its base decides them."""

from dataclasses import replace

from data.errors import RunError
from model.backbone.backbone import Backbone
from model.backbone.settings import AdapterSettings, BackboneSettings
from model.checkpoint.backbone_in_card import backbone_settings
from model.fine_tuning.settings import FineTuningConfig, FineTuningSettings
from model.optimization.config import TrainingConfig, check_adapter
from model.training.base_checkpoint import Base, check_covers


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
    check_covers(settings, written)
    return settings
