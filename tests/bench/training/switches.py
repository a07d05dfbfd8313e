"""Whether each switch of training earns its place: MCC with and without it, at equal steps.

Not a speed. Models are trained on drawn scenes, as the demo's is, and tested image-only on others.
`python -m tests.bench.training.switches FOLDER` keeps each run's answers in the folder and goes on
where it stopped; `--seconds` ends a sitting after a run. `--help` names the sizes.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from data.terminal import note, print_table
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings, Trained
from model.datasets.augmentation import ImageAugmentation
from model.datasets.batch import row_table
from model.datasets.images import FreshImages, ImageSource, KeptImages
from model.datasets.loaders import training_loader, validation_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings
from model.optimization.trainer import Loaders, Trainer
from tests.bench.training.drawn_scenes import (
    TRAINING_SEED,
    DrawnRows,
    TestScenes,
    draw_rows,
)
from tests.bench.training.options import sizes_from
from tests.bench.training.scene_scores import COLUMNS, Results, score_rows
from tests.model.optimization.toy import cpu_accelerator

BASE, VIT_BASE = "base", "test_vit, all"
RESULTS = "training_switches.jsonl"


@dataclass(frozen=True)
class Sizes:
    """Scenes to train and test on, draws of a test row, epochs, seeds, and processes."""

    scenes: int = 600
    test_scenes: int = 400
    draws: int = 2
    epochs: int = 8
    seeds: int = 3
    side: int = 64
    views: int = 3
    batch_size: int = 16
    workers: int = 1
    seconds: float = float("inf")


def base_config(sizes: Sizes, seed: int) -> TrainingConfig:
    """The demo's training with all switches off."""
    return TrainingConfig(
        training=TrainSettings(
            epochs=sizes.epochs,
            patience=sizes.epochs,
            batch_size=sizes.batch_size,
            accumulation_steps=1,
            views=sizes.views,
            seed=seed,
        ),
        optimizer=OptimizerSettings(lr=2e-3, weight_decay=0.05, ema_decay=0.0),
        loss=LossSettings(
            gamma=1.0, smoothing=0.0, label=1.0, views=1.0, consistency=0.0, weather=0.0
        ),
        dataset=DatasetSettings(randaugment=False, cutout=0, mixup=0.0),
        backbone=BackboneSettings("test_resnet", RANDOM, sizes.side, seed, trained="all"),
        model=ModelSettings(width=128, heads=4, keep_views=12, seed=seed),
    )


def variants(base: TrainingConfig) -> dict[str, TrainingConfig]:
    """The base, and it with each switch alone; and what is trained of a transformer."""

    def loss(**changed: float) -> TrainingConfig:
        return replace(base, loss=replace(base.loss, **changed))

    def dataset(**changed: float | bool) -> TrainingConfig:
        return replace(base, dataset=replace(base.dataset, **changed))  # type: ignore[arg-type]

    def vit(trained: Trained) -> TrainingConfig:
        return replace(base, backbone=replace(base.backbone, name="test_vit", trained=trained))

    return {
        BASE: base,
        "consistency 0.3": loss(consistency=0.3),
        "weather 0.2": loss(weather=0.2),
        "smoothing 0.1": loss(smoothing=0.1),
        "MixUp 0.2": dataset(mixup=0.2),
        "RandAugment": dataset(randaugment=True),
        "cutout 16": dataset(cutout=16),
        "EMA 0.999": replace(base, optimizer=replace(base.optimizer, ema_decay=0.999)),
        VIT_BASE: vit("all"),
        "test_vit, adapters": vit("adapters"),
        "test_vit, frozen": vit("none"),
    }


def fresh_images(config: TrainingConfig, rows: DrawnRows) -> FreshImages:
    """Images of drawn rows, anew whenever asked for."""
    dataset, seed = config.dataset, config.training.seed
    changed = bool(dataset.randaugment), dataset.cutout or 0
    augmentation = ImageAugmentation(*changed, seed) if any(changed) else None
    source = ImageSource(rows.shards.folder, rows.table, dataset, seed)
    return FreshImages(source, config.training.views, augmentation)


def trainer_of(
    config: TrainingConfig, rows: DrawnRows, images: Dataset[Any], workers: int
) -> Trainer:
    """A trainer on images of drawn rows, validated on one row only."""
    seed, table = config.training.seed, rows.table
    sampler = SceneSampler(table.scenes, seed)
    sizes = BatchSettings(config.training.batch_size)
    batches = TrainingBatches(sampler, table.scenes, sizes, seed)
    one_row = ImageSource(
        rows.shards.folder, row_table(table.rows[:1]), replace(config.dataset, draws=1), seed
    )
    device = torch.device("cpu")
    loaders = Loaders(
        training_loader(images, batches, workers, device),
        batches,
        validation_loader(KeptImages(one_row, threads=1), 1),
    )
    backbone = load_backbone(config.backbone, device)
    model = FullModel(backbone, StreetModel(replace(config.model, features=backbone.width)))
    return Trainer(model, loaders, config, cpu_accelerator(config))


def run_all(folder: Path, sizes: Sizes, results: Results, test: TestScenes) -> bool:
    """Do the runs that are not done yet; False where the sitting ended before."""
    rows = draw_rows(folder / "training", sizes.scenes, TRAINING_SEED)
    started = time.perf_counter()
    for seed in range(sizes.seeds):
        for name, config in variants(base_config(sizes, seed)).items():
            if (name, seed) in results:
                continue
            if time.perf_counter() - started > sizes.seconds:
                return False
            start = time.perf_counter()
            trainer = trainer_of(config, rows, fresh_images(config, rows), sizes.workers)
            for _metrics in trainer.epochs():
                pass
            minutes = (time.perf_counter() - start) / 60
            results.add(name, seed, minutes, trainer.steps, test.classes(trainer.kept))
            note(f"{name}, seed {seed}: {trainer.steps} steps in {minutes:.1f} minutes")
    return True


def main(arguments: Sequence[str]) -> None:
    """Do the runs, and print a row for each variant when all are done."""
    folder, sizes = Path(arguments[0]), sizes_from(Sizes, arguments[1:])
    folder.mkdir(parents=True, exist_ok=True)
    decisive = {k: v for k, v in asdict(sizes).items() if k not in ("seconds", "workers", "seeds")}
    results = Results(folder / RESULTS, decisive)
    test = TestScenes(folder / "test", sizes.test_scenes, sizes.draws)
    if not run_all(folder, sizes, results, test):
        note("the sitting is over: start the same again to go on")
        return
    names = dict.fromkeys(variants(base_config(sizes, 0)), BASE)
    names |= {name: VIT_BASE for name in names if name.startswith("test_vit")}
    print_table(
        f"each switch alone, {sizes.seeds} seeds: {sizes.epochs} epochs of {sizes.scenes} scenes, "
        f"tested on {sizes.test_scenes} others",
        COLUMNS,
        score_rows(names, results, test, sizes.seeds),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
