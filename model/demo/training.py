"""Trains the demo's model: the full architecture on a tiny backbone.

Its scenes are drawn from another seed than those of the demo's log, so no challenge uses a training
row. Every scene is drawn with roadwork and without: a training of a minute learns little from
scenes that differ in everything.
"""

from collections.abc import Callable
from pathlib import Path

from data.progress import Progress, silent
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from data.store import Store
from model.backbone.settings import RANDOM, BackboneSettings
from model.datasets.settings import DatasetSettings
from model.demo.settings import DemoTraining
from model.network.settings import ModelSettings
from model.optimization.config import TrainingConfig
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings
from model.rows.settings import SplitSettings
from model.training.report import TrainReport
from model.training.train import train

_SIZE = (800, 450)


def draw_training_rows(
    folder: Path, settings: DemoTraining, on_progress: Callable[[int], object] = lambda _: None
) -> Shards:
    """Shards of training rows in `folder`, drawn if they are not there; see `write_shards`."""
    scenes = SceneSettings(
        seed=settings.seed,
        rows=2 * settings.scenes,
        paired=True,
        split="demo-train",
        size_mix=((_SIZE, 1.0),),
    )
    write_shards(folder, scenes, on_progress=on_progress)
    return Shards(folder)


def train_demo(
    store: Store,
    shards: Shards,
    out: Path,
    settings: DemoTraining,
    *,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
) -> TrainReport:
    """Train all parts of the model, the backbone from random weights too; see `train.train`."""
    config = TrainingConfig(
        training=TrainSettings(
            epochs=settings.epochs,
            patience=settings.epochs,
            batch_size=16,
            accumulation_steps=1,
            views=3,
            seed=settings.seed,
        ),
        optimizer=OptimizerSettings(lr=2e-3, weight_decay=0.05, ema_decay=0.0),
        loss=LossSettings(
            gamma=1.0, smoothing=0.0, label=1.0, views=1.0, consistency=0.0, weather=0.1
        ),
        split=SplitSettings(settings.validation, holdout=0.0, seed=settings.seed),
        dataset=DatasetSettings(draws=2, randaugment=False, cutout=0, mixup=0.0),
        backbone=BackboneSettings(
            "test_resnet", RANDOM, settings.side, settings.seed, trained="all"
        ),
        # No pruning between layers: with 3 views a step it would never have to choose.
        model=ModelSettings(width=128, heads=4, keep_views=12, seed=settings.seed),
    )
    return train(store, shards, out, config, replace_checkpoint=True, progress=progress, note=note)
