"""What a user would pick instead of the gated model, each trained for as long on the same scenes.

Not a speed. One view and a linear head; twelve views' features averaged and a linear head; the
gated model; a plain timm classifier, end to end on the whole image at its full 224 px. All by one
loop: AdamW, a cosine over the time, images drawn anew. Wall time means something on a quiet machine
only. `python -m tests.bench.training.architectures FOLDER` goes on where it stopped; `--help` names
sizes.
"""

import math
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from data.terminal import note, print_table
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.backbone.timm_model import data_config
from model.datasets.batch import Batch
from model.datasets.images import FreshImages, ImageSource
from model.datasets.loaders import training_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.network.pruning import GLOBAL_VIEW
from model.network.settings import ModelSettings
from model.network.street_model import CLASSES, StreetModel
from model.optimization.batch_errors import batches_of
from model.optimization.full_model import FullModel
from model.optimization.losses import soft_labels, training_loss
from model.optimization.random_state import seeded
from model.optimization.settings import LossSettings
from model.views.views import VIEWS
from tests.bench.training.drawn_scenes import (
    TRAINING_SEED,
    DrawnRows,
    TestScenes,
    draw_rows,
)
from tests.bench.training.options import sizes_from
from tests.bench.training.scene_scores import COLUMNS, Results, score_rows

FAMILY, GATED = "test_resnet", "gated, 3 views a step"
RESULTS = "architectures.jsonl"
LR, DECAY, BETAS, CLIP, WARMUP = 2e-3, 0.05, (0.9, 0.98), 1.0, 0.1
LOSSES = LossSettings(gamma=1.0, smoothing=0.0, label=1.0, views=1.0, consistency=0.0, weather=0.0)


@dataclass(frozen=True)
class Sizes:
    """Scenes to train and test on, draws of a test row, minutes a training, seeds, processes."""

    scenes: int = 600
    test_scenes: int = 400
    draws: int = 2
    minutes: float = 2.0
    seeds: int = 3
    side: int = 64
    batch_size: int = 16
    workers: int = 1
    seconds: float = float("inf")


class AveragedViews(nn.Module):
    """A linear head on the mean of the features of some views; one view: the global one."""

    def __init__(self, full: FullModel, views: int) -> None:
        super().__init__()
        self._full, self._views = full, views
        self.backbone = full.backbone
        self.head = nn.Linear(full.backbone.width, CLASSES)

    def forward(self, images: torch.Tensor, views: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (B, 2) of uint8 images; all of the model's views are shown where none is named."""
        if self._views == 1:
            views = torch.full((len(images), 1), GLOBAL_VIEW)
        logits: torch.Tensor = self.head(self._full.features(images, views).mean(dim=1))
        return logits


class WholeImage(nn.Module):
    """A classifier of timm on the whole image."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Any = timm.create_model(FAMILY, pretrained=False, num_classes=CLASSES)
        config = data_config(self.model)
        self._mean, self._std = (
            255 * torch.tensor(config[name])[:, None, None] for name in ("mean", "std")
        )

    def forward(self, images: torch.Tensor, _views: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (B, 2) of uint8 images."""
        logits: torch.Tensor = self.model((images.float() - self._mean) / self._std)
        return logits


def full_model(sizes: Sizes, seed: int) -> FullModel:
    """The gated model on a backbone of random weights, as the demo has it."""
    backbone = load_backbone(
        BackboneSettings(FAMILY, RANDOM, sizes.side, seed, trained="all"), "cpu"
    )
    settings = ModelSettings(backbone.width, width=128, heads=4, keep_views=VIEWS, seed=seed)
    return FullModel(backbone, StreetModel(settings))


@dataclass(frozen=True)
class Architecture:
    """How a model is made, and how many views it sees at a step."""

    make: Callable[[Sizes, int], nn.Module]
    views: int = VIEWS


ARCHITECTURES = {
    GATED: Architecture(full_model, 3),
    "gated, 12 views a step": Architecture(full_model),
    "one view, linear": Architecture(lambda s, seed: AveragedViews(full_model(s, seed), 1)),
    "12 views averaged, linear": Architecture(
        lambda s, seed: AveragedViews(full_model(s, seed), VIEWS)
    ),
    "averaged, 3 views a step": Architecture(
        lambda s, seed: AveragedViews(full_model(s, seed), VIEWS), 3
    ),
    "timm, whole image": Architecture(lambda _sizes, _seed: WholeImage()),
}


def fresh_batches(rows: DrawnRows, sizes: Sizes, views: int, seed: int) -> Generator[Batch]:
    """Batches of images drawn anew, epoch after epoch."""
    table = rows.table
    images = FreshImages(ImageSource(rows.shards.folder, table, DatasetSettings(), seed), views)
    batches = TrainingBatches(
        SceneSampler(table.scenes, seed), table.scenes, BatchSettings(sizes.batch_size), seed
    )
    loader = training_loader(images, batches, sizes.workers, torch.device("cpu"))
    epoch = 0
    while True:
        epoch += 1
        loader.set_epoch(epoch)  # type: ignore[attr-defined]
        yield from batches_of(loader)


def train_for(seconds: float, model: nn.Module, batches: Iterator[Batch]) -> int:
    """Train for so long from the first batch on; the number of steps."""
    parameters = list(model.parameters())
    optimiser = torch.optim.AdamW(parameters, LR, BETAS, weight_decay=DECAY, fused=True)
    batch, start, steps = next(batches), time.perf_counter(), 0
    model.train()
    while (share := (time.perf_counter() - start) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = LR * learning_rate(share)
        optimiser.zero_grad()
        torch.autograd.backward(batch_loss(model, batch))
        nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()
        batch, steps = next(batches), steps + 1
    return steps


def learning_rate(share: float) -> float:
    """Of its highest, at a share of the time: up in a line, then down as half a cosine."""
    if share < WARMUP:
        return max(share, 1e-3) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (share - WARMUP) / (1 - WARMUP)))


def batch_loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """All losses of the gated model; cross-entropy of the others."""
    output = model(batch.inputs, batch.views)
    if isinstance(model, FullModel):
        labels = soft_labels(batch.labels)
        return training_loss(output, labels, batch.weather, LOSSES).total(LOSSES)
    return F.cross_entropy(output, batch.labels)


def run_all(folder: Path, sizes: Sizes, results: Results, test: TestScenes) -> bool:
    """Do the runs that are not done yet; False where the sitting ended before."""
    rows = draw_rows(folder / "training", sizes.scenes, TRAINING_SEED)
    started = time.perf_counter()
    for seed in range(sizes.seeds):
        for name, architecture in ARCHITECTURES.items():
            if (name, seed) in results:
                continue
            if time.perf_counter() - started > sizes.seconds:
                return False
            start = time.perf_counter()
            with seeded(seed):
                model = architecture.make(sizes, seed)
                with closing(fresh_batches(rows, sizes, architecture.views, seed)) as batches:
                    steps = train_for(60 * sizes.minutes, model, batches)
            minutes = (time.perf_counter() - start) / 60
            results.add(name, seed, minutes, steps, test.classes(model))
            note(f"{name}, seed {seed}: {steps} steps in {minutes:.1f} minutes")
    return True


def main(arguments: Sequence[str]) -> None:
    """Do the runs, and print a row for each architecture when all are done."""
    folder, sizes = Path(arguments[0]), sizes_from(Sizes, arguments[1:])
    folder.mkdir(parents=True, exist_ok=True)
    decisive = {k: v for k, v in asdict(sizes).items() if k not in ("seconds", "seeds")}
    results = Results(folder / RESULTS, decisive)
    test = TestScenes(folder / "test", sizes.test_scenes, sizes.draws)
    if not run_all(folder, sizes, results, test):
        note("the sitting is over: start the same again to go on")
        return
    print_table(
        f"{sizes.minutes:g} minutes of training each, {FAMILY}, {sizes.seeds} seeds: "
        f"{sizes.scenes} scenes, tested on {sizes.test_scenes} others",
        COLUMNS,
        score_rows(dict.fromkeys(ARCHITECTURES, GATED), results, test, sizes.seeds),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
