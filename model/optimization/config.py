"""All settings of a training, one dataclass a stage; imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from data.errors import RunError
from data.settings import settings_of
from model.backbone.settings import AdapterSettings, BackboneSettings, Trained
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings
from model.rows.settings import SplitSettings

# What the mission asks for where images are drawn anew: cutout in pixels, MixUp's alpha.
_CUTOUT, _MIXUP = 16, 0.2


@dataclass(frozen=True)
class TrainingConfig:
    """All settings of a training."""

    training: TrainSettings = field(default_factory=TrainSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    backbone: BackboneSettings = field(default_factory=BackboneSettings)
    model: ModelSettings = field(default_factory=ModelSettings)

    @property
    def keeps_features(self) -> bool:
        """Images are looked at once, by a frozen backbone whose features are kept."""
        return self.backbone.frozen and self.dataset.keep_features

    def resolved(self, features: int) -> "TrainingConfig":
        """The same with nothing left open, for a backbone of so many features.

        Raises:
            RunError: settings that do not go together.
        """
        if self.backbone.frozen:
            self._refuse_settings_of_a_trained_backbone()
        check_adapter(self.backbone.trained, self.backbone.adapter)
        return replace(
            self,
            dataset=self._resolved_dataset(),
            backbone=replace(self.backbone, precision=self.model.precision),
            model=replace(self.model, features=features),
        )

    def _resolved_dataset(self) -> DatasetSettings:
        dataset = self.dataset
        if self.keeps_features:
            self._refuse_augmentation("features of a frozen backbone, kept for all epochs")
            return replace(dataset, randaugment=False, cutout=0, mixup=0.0)
        mixup = dataset.mixup
        if dataset.metadata and mixup:
            raise RunError(
                "--mixup",
                found="images with their metadata",
                expected="an image-only model: metadata cannot be mixed",
                remedy="leave out --metadata, or --mixup 0",
            )
        if mixup is None:
            mixup = 0.0 if dataset.metadata else _MIXUP
        return replace(
            dataset,
            randaugment=True if dataset.randaugment is None else dataset.randaugment,
            cutout=_CUTOUT if dataset.cutout is None else dataset.cutout,
            mixup=mixup,
        )

    def _refuse_settings_of_a_trained_backbone(self) -> None:
        given = {
            "--backbone-lr": self.optimizer.backbone_lr is not None,
            "--layer-decay": self.optimizer.layer_decay is not None,
            "--grad-checkpointing": self.backbone.checkpointing,
        }
        for flag in (flag for flag, is_given in given.items() if is_given):
            raise RunError(
                flag,
                found="a frozen backbone, which it changes nothing of",
                expected="one that is trained",
                remedy="leave it out, or --train-backbone",
            )

    def _refuse_augmentation(self, training: str) -> None:
        for name in ("randaugment", "cutout", "mixup"):
            if getattr(self.dataset, name):
                raise RunError(
                    f"--{name}",
                    found=training,
                    expected="images drawn anew in every epoch",
                    remedy="train the backbone too (--train-backbone), or --no-keep-features",
                )

    @property
    def tables(self) -> dict[str, Any]:
        """The settings of each stage by the name of its table in a file of settings."""
        own = {stage.name: getattr(self, stage.name) for stage in fields(self)}
        return own | {"adapter": self.backbone.adapter}


def check_adapter(trained: Trained, adapter: AdapterSettings) -> None:
    """Refuse settings of adapters where none are trained: they would change nothing.

    Raises:
        RunError: which setting it is.
    """
    if trained == "adapters":
        return
    for each in settings_of(AdapterSettings):
        value = getattr(adapter, each.name)
        if value != getattr(AdapterSettings(), each.name):
            raise RunError(
                each.flag,
                found=f"{value} with --train-backbone {trained}",
                expected="--train-backbone adapters",
                remedy="choose that, or leave it out",
            )


def training_config(tables: Mapping[str, Any]) -> TrainingConfig:
    """The settings of all stages from the tables of a file or a command."""
    stages = dict(tables)
    adapter = stages.pop("adapter")
    backbone = replace(stages.pop("backbone"), adapter=adapter)
    return TrainingConfig(**stages, backbone=backbone)
