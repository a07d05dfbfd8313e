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
from model.demo.settings import DemoTraining
from model.network.settings import ModelSettings
from model.training.settings import LossSettings, TrainSettings
from model.training.train import TrainingConfig, TrainReport, train

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
        TrainSettings(
            images=2,
            validation=settings.validation,
            epochs=settings.epochs,
            batch_size=16,
            lr=2e-3,
            views=3,
            seed=settings.seed,
        ),
        BackboneSettings("test_resnet", RANDOM, settings.side, settings.seed, trained="all"),
        # No pruning between layers: with 3 views a step it would never have to choose.
        ModelSettings(width=128, heads=4, keep_views=12, seed=settings.seed),
        LossSettings(gamma=1.0),
    )
    return train(store, shards, out, config, replace_checkpoint=True, progress=progress, note=note)
