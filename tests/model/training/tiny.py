"""A training of seconds: 36 drawn scenes, a backbone with random weights, two epochs."""

from dataclasses import replace
from typing import Any

from data.scenes.plan import SceneSettings
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings
from model.optimization.config import TrainingConfig
from model.optimization.settings import OptimizerSettings, TrainSettings
from model.rows.settings import SplitSettings

SCENES = SceneSettings(seed=9, rows=36, row_group_rows=5, size_mix=(((320, 240), 1.0),))
TINY = TrainingConfig(
    training=TrainSettings(epochs=2, batch_size=8, accumulation_steps=1),
    optimizer=OptimizerSettings(lr=1e-3),
    split=SplitSettings(validation=0.3, holdout=0.1),
    dataset=DatasetSettings(draws=2, workers=0),
    backbone=BackboneSettings("test_resnet", RANDOM, side=32, trained="all"),
    model=ModelSettings(width=32, heads=4, layers=1, prune_after=1, scorer_width=8),
)
FROZEN = replace(TINY, backbone=replace(TINY.backbone, trained="none"))
OPTIONS = (
    "--backbone=test_resnet",
    "--side=32",
    "--weights=random",
    "--epochs=2",
    "--draws=2",
    "--validation=0.3",
    "--holdout=0.1",
    "--batch-size=8",
    "--accumulation-steps=1",
    "--workers=0",
    "--width=32",
    "--heads=4",
    "--layers=1",
    "--prune-after=1",
    "--scorer-width=8",
)
"""Of the command `train`, for a training as small."""


def with_training(config: TrainingConfig, **changes: Any) -> TrainingConfig:
    """The same with other settings of the loop."""
    return replace(config, training=replace(config.training, **changes))
