"""The demo's candidates: the whole architecture on a tiny backbone, and the safety-orange baseline.

Both learn from the same drawn rows, which no challenge of the demo's log uses: its scenes come of
another seed. Every scene is drawn with works and without, for a training of a minute learns little
from scenes that differ in everything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data.processes import cores
from data.scene_plan import SceneSettings
from data.scene_rows import write_shards
from data.sources import Shards
from data.store import Store
from model.backbone import RANDOM, BackboneSettings
from model.losses import LossSettings
from model.model_settings import ModelSettings
from model.orange import OrangeBaseline, fitted
from model.samples import decoded, draw_samples
from model.train_settings import TrainSettings
from model.training import Progress, Recipe, TrainReport, silent, train
from model.training_images import build_jpegs
from model.training_rows import list_rows

_SIZE = (800, 450)


@dataclass(frozen=True)
class DemoTraining:
    """How much the demo's candidates learn from: scenes, each drawn twice, and passes over them.

    `side` of the views in pixels; `validation` is the share of rows that chooses the best pass.
    """

    seed: int = 7272
    scenes: int = 800
    epochs: int = 8
    side: int = 64
    validation: float = 0.1


def draw_training_rows(folder: Path, settings: DemoTraining) -> Shards:
    """Draw the rows into shards of `folder`, the same every time."""
    scenes = SceneSettings(
        seed=settings.seed,
        rows=2 * settings.scenes,
        twins=True,
        split="demo-train",
        size_mix=((_SIZE, 1.0),),
    )
    write_shards(folder, scenes)
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
    """Train every part of the model, its backbone of random weights too; see `training.train`."""
    recipe = Recipe(
        TrainSettings(
            images=2,
            validation=settings.validation,
            epochs=settings.epochs,
            batch=16,
            rate=2e-3,
            views=3,
            seed=settings.seed,
        ),
        BackboneSettings("test_resnet", RANDOM, settings.side, settings.seed, frozen=False),
        # No pruning between layers: with 3 views a step it would never have to choose.
        ModelSettings(width=128, heads=4, keep_views=12, seed=settings.seed),
        LossSettings(gamma=1.0),
    )
    return train(store, shards, out, recipe, again=True, progress=progress, note=note)


def fit_orange(shards: Shards, settings: DemoTraining) -> OrangeBaseline:
    """The baseline with the threshold of best MCC on one challenge of each row."""
    rows = list_rows(shards).rows
    samples = [draw_samples(row, place, 1, settings.seed)[0] for place, row in enumerate(rows)]
    built = build_jpegs(samples, shards, settings.seed, cores())
    kept = [
        (decoded(jpeg), row.label)
        for jpeg, row in zip(built, rows, strict=True)
        if isinstance(jpeg, bytes)
    ]
    return OrangeBaseline(fitted([image for image, _ in kept], [label for _, label in kept]))
