"""A tiny base model, and shards of which it has seen some."""

from dataclasses import dataclass, replace
from pathlib import Path

from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from data.store import Store
from model.backbone.settings import RANDOM, BackboneSettings, Trained
from model.datasets.settings import DatasetSettings
from model.fine_tuning.settings import FineTuningConfig, FineTuningSettings
from model.network.settings import ModelSettings
from model.optimization.config import TrainingConfig
from model.optimization.settings import OptimizerSettings, TrainSettings
from model.rows.settings import SplitSettings
from model.training.report import TrainReport
from model.training.train import train

SCENES = SceneSettings(
    seed=9, rows=36, shards=1, row_group_rows=12, split="old", size_mix=(((320, 240), 1.0),)
)
NEW_SCENES = replace(SCENES, split="new", first_row=36, rows=60)
BASE = TrainingConfig(
    training=TrainSettings(epochs=1, batch_size=8, accumulation_steps=1),
    optimizer=OptimizerSettings(lr=1e-3),
    split=SplitSettings(validation=0.3, holdout=0.1),
    dataset=DatasetSettings(draws=2, workers=0),
    backbone=BackboneSettings("test_vit", RANDOM, side=32),
    model=ModelSettings(width=32, heads=4, layers=1, prune_after=1, scorer_width=8),
)
# so high a rate that the folds' models differ from their base
TINY = FineTuningConfig(
    fine_tuning=FineTuningSettings(folds=3, averaged_folds=2),
    training=TrainSettings(epochs=2, batch_size=8, accumulation_steps=1),
    optimizer=OptimizerSettings(lr=1e-3, weight_decay=0.02, ema_decay=0.0),
    dataset=DatasetSettings(draws=2, workers=0),
)


@dataclass(frozen=True)
class DrawnBase:
    """A base's checkpoint and report; `sources` has its rows and others."""

    store: Store
    checkpoint: Path
    report: TrainReport
    sources: Shards


def draw_base(folder: Path, trained: Trained = "none") -> DrawnBase:
    """Draw shards, and train a base on the first of them, with its backbone as far as told."""
    write_shards(folder / "old", SCENES, workers=1)
    write_shards(folder / "sources", SCENES, workers=1)
    write_shards(folder / "sources", NEW_SCENES, workers=1)
    store, checkpoint = Store(folder / "store"), folder / "base"
    backbone = replace(BASE.backbone, trained=trained, last_blocks=1)
    report = train(store, Shards(folder / "old"), checkpoint, replace(BASE, backbone=backbone))
    return DrawnBase(store, checkpoint, report, Shards(folder / "sources"))
