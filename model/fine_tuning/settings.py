"""Settings of a fine-tuning; imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from data.errors import RunError
from data.settings import LARGEST_SEED, check_settings, setting
from model.backbone.settings import AdapterSettings, Trained
from model.datasets.settings import DatasetSettings
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings


@dataclass(frozen=True)
class FineTuningSettings:
    """Folds, what is averaged of them, and what is changed of the base model.

    Raises:
        RunError: a value out of its range, or more folds averaged than there are.
    """

    folds: int = setting(5, "Folds of the rows; each is seen by all models but one.", least=2)
    averaged_folds: int = setting(3, "How many models, of the best folds, are averaged.", least=1)
    seed: int = setting(
        0, "Seed of the folds alone.", flag="--fold-seed", least=0, most=LARGEST_SEED
    )
    dropout: float = setting(0.2, "Dropout in the head, a share.", least=0, below=1)
    trained: Trained = setting(
        "none",
        "What of the base's backbone is trained further; none: its features are kept.",
        flag="--train-backbone",
    )
    last_blocks: int = setting(2, "How many blocks `last` and ExPLoRA train.", least=1)
    checkpointing: bool = setting(
        False,
        "Compute the backbone's activations twice instead of keeping them (less memory).",
        flag="--grad-checkpointing",
    )

    def __post_init__(self) -> None:
        check_settings(self, "fine-tuning")
        if self.averaged_folds > self.folds:
            raise RunError(
                "fine-tuning setting averaged_folds",
                found=f"{self.averaged_folds}",
                expected=f"at most {self.folds}, the number of folds",
            )


@dataclass(frozen=True)
class FineTuningConfig:
    """All settings of a fine-tuning; those of the model and its backbone are the base's."""

    fine_tuning: FineTuningSettings = field(default_factory=FineTuningSettings)
    training: TrainSettings = field(default_factory=lambda: TrainSettings(epochs=10, patience=2))
    optimizer: OptimizerSettings = field(
        default_factory=lambda: OptimizerSettings(lr=1e-6, weight_decay=0.02, ema_decay=0.0)
    )
    loss: LossSettings = field(default_factory=LossSettings)
    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    adapter: AdapterSettings = field(default_factory=AdapterSettings)

    @property
    def tables(self) -> Mapping[str, Any]:
        """The settings of each stage by the name of its table in a file of settings."""
        return {stage.name: getattr(self, stage.name) for stage in fields(self)}
