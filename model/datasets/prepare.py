"""Prepares a split's rows for training: which have images, and the datasets of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from data.errors import RunError
from data.progress import Progress
from data.sources.shards import Shards
from model.backbone.backbone import Backbone
from model.datasets.augmentation import ImageAugmentation
from model.datasets.batch import RowTable, row_table
from model.datasets.feature_dataset import AllDraws, FeatureDataset
from model.datasets.features import FeatureSource, map_features, write_features
from model.datasets.images import FreshImages, ImageSource, KeptImages
from model.datasets.settings import DatasetSettings
from model.datasets.undecodable_rows import undecodable_rows
from model.metadata.tensors import MetadataTensors
from model.rows.training_row import TrainingRow

MetadataOf = Callable[[Sequence[TrainingRow]], MetadataTensors | None]
"""The metadata of rows for a model that gets it, else None."""

FromMain = Callable[[Callable[[], Any]], Any]
"""Calls a function in the main process alone, and gives its result to all."""


@dataclass(frozen=True)
class Preparation:
    """What datasets are made of.

    `views` are shown of each challenge in training; `threads` rebuild images; `folder` gets the
    features of this training, `cache` those that are kept between trainings; `keeps_features` says
    whether a frozen backbone looks at each image once.
    """

    shards: Shards
    backbone: Backbone
    settings: DatasetSettings
    seed: int
    views: int
    threads: int
    folder: Path
    cache: Path
    keeps_features: bool


@dataclass(frozen=True)
class PreparedSplit:
    """A split's rows that have images, and their dataset; `left_out` counts others by reason."""

    table: RowTable
    dataset: Dataset[Any]
    left_out: Counter[str]


def prepare_training(
    rows: Sequence[TrainingRow],
    preparation: Preparation,
    metadata_of: MetadataOf,
    from_main: FromMain,
    progress: Progress,
) -> PreparedSplit:
    """The rows to train on, drawn anew in each epoch or as features of kept draws.

    Raises:
        RunError: no row has an image.
    """
    if preparation.keeps_features:
        table, features, left_out = _features(
            "training", rows, preparation, metadata_of, from_main, progress
        )
        settings = preparation.settings
        data = FeatureDataset(features, table, settings.draws, preparation.views, preparation.seed)
        return PreparedSplit(table, data, left_out)
    table, left_out = _decodable("training", rows, preparation, metadata_of, from_main, progress)
    images = FreshImages(
        _image_source(preparation, table), preparation.views, _augmentation(preparation)
    )
    return PreparedSplit(table, images, left_out)


def prepare_validation(
    rows: Sequence[TrainingRow],
    preparation: Preparation,
    metadata_of: MetadataOf,
    from_main: FromMain,
    progress: Progress,
) -> PreparedSplit:
    """The rows to validate on: the same draws of each after every epoch.

    Raises:
        RunError: no row has an image.
    """
    if preparation.keeps_features:
        table, features, left_out = _features(
            "validation", rows, preparation, metadata_of, from_main, progress
        )
        draws = preparation.settings.draws
        every_draw = AllDraws(FeatureDataset(features, table, draws), draws)
        return PreparedSplit(table, every_draw, left_out)
    table, left_out = _decodable("validation", rows, preparation, metadata_of, from_main, progress)
    kept = KeptImages(_image_source(preparation, table), preparation.threads)
    return PreparedSplit(table, kept, left_out)


def _features(
    part: str,
    rows: Sequence[TrainingRow],
    preparation: Preparation,
    metadata_of: MetadataOf,
    from_main: FromMain,
    progress: Progress,
) -> tuple[RowTable, torch.Tensor, Counter[str]]:
    file = preparation.folder / f"{part}.features"
    source = FeatureSource(
        preparation.shards,
        preparation.backbone,
        preparation.settings,
        preparation.seed,
        preparation.threads,
        preparation.cache,
    )

    def write() -> dict[int, str]:
        with progress(f"{part} features", len(rows) * preparation.settings.draws) as on_progress:
            return write_features(file, rows, source, on_progress)

    table, left_out = _usable(part, rows, from_main(write), metadata_of)
    device = next(preparation.backbone.parameters()).device
    return table, map_features(file, preparation.backbone.width, device), left_out


def _decodable(
    part: str,
    rows: Sequence[TrainingRow],
    preparation: Preparation,
    metadata_of: MetadataOf,
    from_main: FromMain,
    progress: Progress,
) -> tuple[RowTable, Counter[str]]:
    def check() -> dict[int, str]:
        with progress(f"checking {part} images", len(rows)) as on_progress:
            reasons = undecodable_rows(
                preparation.shards,
                rows,
                preparation.threads,
                on_progress,
                preparation.settings.era,
            )
            return {row: str(reason) for row, reason in reasons.items()}

    return _usable(part, rows, from_main(check), metadata_of)


def _usable(
    part: str,
    rows: Sequence[TrainingRow],
    without_image: dict[int, str],
    metadata_of: MetadataOf,
) -> tuple[RowTable, Counter[str]]:
    left_out = Counter(without_image.values())
    usable = [row for index, row in enumerate(rows) if index not in without_image]
    if not usable:
        reasons = ", ".join(f"{reason} {n}" for reason, n in left_out.items())
        raise RunError(f"images of {len(rows)} {part} rows", found=reasons, expected="some")
    return row_table(usable, metadata_of(usable)), left_out


def _image_source(preparation: Preparation, table: RowTable) -> ImageSource:
    return ImageSource(preparation.shards.folder, table, preparation.settings, preparation.seed)


def _augmentation(preparation: Preparation) -> ImageAugmentation | None:
    settings = preparation.settings
    if not settings.randaugment and not settings.cutout:
        return None
    return ImageAugmentation(bool(settings.randaugment), settings.cutout or 0, preparation.seed)
