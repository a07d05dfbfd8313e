"""Features of a frozen backbone, computed once for all draws and mapped from a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from io import FileIO
from pathlib import Path

import numpy as np
import torch

from data.atomic_files import write_error
from data.sources.shards import Shards
from model.backbone.backbone import Backbone
from model.backbone.features import FeatureMaker, open_cache
from model.backbone.free_memory import available_bytes
from model.datasets.challenge_draws import Sample, decode_jpeg, draw_samples
from model.datasets.jpegs import JpegOrError, build_jpegs
from model.datasets.settings import DatasetSettings
from model.rows.training_row import TrainingRow
from model.views.views import VIEWS
from replay.candidates.predictor import Image, LazySequence
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import CannotRebuildError

# Rows whose images are in memory at once while features are made of them.
_ROWS_AT_ONCE = 64
# The share of a device's free memory that features may take there.
_DEVICE_SHARE = 0.5


@dataclass(frozen=True)
class FeatureSource:
    """What features are made with.

    `cache` is the folder of features that are kept between trainings and replays, None keeps none;
    `threads` rebuild images.
    """

    shards: Shards
    backbone: Backbone
    settings: DatasetSettings
    seed: int
    threads: int
    cache: Path | None = None


def write_features(
    file: Path,
    rows: Sequence[TrainingRow],
    source: FeatureSource,
    on_progress: Callable[[int], object] = lambda _: None,
) -> dict[int, str]:
    """Write the features of all draws of rows to a file that `map_features` maps.

    Args:
        file: float32 numbers (rows, draws, 12, width) of the rows that have features.
        rows: of a split.
        source: images and backbone.
        on_progress: takes the number of images done.

    Returns:
        The rows without an image, by their index, with the reason; the file skips them.

    Raises:
        WriteError: the file cannot be written.
    """
    draws = source.settings.draws
    left_out: dict[int, str] = {}
    maker = FeatureMaker(
        source.backbone,
        None if source.cache is None else open_cache(source.cache, source.backbone),
    )
    keys = ImageKeys(source.shards, source.seed, source.settings.arithmetic)
    with file.open("wb", buffering=0) as stream:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = range(start, min(start + _ROWS_AT_ONCE, len(rows)))
            samples = [
                sample
                for index in part
                for sample in draw_samples(rows[index], index, draws, source.seed, source.settings)
            ]
            features, failed = _features(maker, keys, samples, source)
            _append(stream, features.tobytes(), file)
            left_out |= failed
            on_progress(len(samples))
    return left_out


def _append(stream: FileIO, content: bytes, file: Path) -> None:
    """Write all of it; a file for which there is no room is removed."""
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[stream.write(rest) :]
    except OSError as error:
        file.unlink(missing_ok=True)
        raise write_error(file, error) from error


def map_features(file: Path, width: int, device: torch.device) -> torch.Tensor:
    """The features in a file, (challenges, 12, width): on the device if it has room, else mapped.

    Args:
        file: written by `write_features`.
        width: of the backbone's features.
        device: where the model is.
    """
    entry = (VIEWS, width)
    if not file.stat().st_size:
        return torch.empty(0, *entry)
    # copy on write: torch wants memory that may be written
    mapped = torch.from_numpy(np.memmap(file, np.float32, mode="c").reshape(-1, *entry))
    if device.type == "cpu":
        return mapped
    fits = file.stat().st_size <= _DEVICE_SHARE * available_bytes(device)
    return mapped.to(device) if fits else mapped


def _features(
    maker: FeatureMaker, keys: ImageKeys, samples: Sequence[Sample], source: FeatureSource
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], dict[int, str]]:
    """Features of all draws of complete rows, and why other rows have none."""
    left_out: dict[int, str] = {}
    while samples:
        images = _PartImages(partial(_jpegs, samples, source))
        image_keys = [keys.key(sample.challenge, sample.variant) for sample in samples]
        try:
            features = maker.features(images.sequence(len(samples)), image_keys)
            return features.cpu().numpy(), left_out
        except CannotRebuildError:
            left_out |= {
                sample.row: str(jpeg.reason)
                for sample, jpeg in zip(samples, images.jpegs, strict=True)
                if isinstance(jpeg, CannotRebuildError)
            }
            samples = [sample for sample in samples if sample.row not in left_out]
    return np.empty((0, VIEWS, source.backbone.width), np.float32), left_out


def _jpegs(samples: Sequence[Sample], source: FeatureSource) -> list[JpegOrError]:
    return build_jpegs(
        samples,
        source.shards,
        source.seed,
        source.threads,
        arithmetic=source.settings.arithmetic,
    )


class _PartImages:
    """Images of a part of the samples: all are built, in threads, when the first is asked for."""

    def __init__(self, build: Callable[[], list[JpegOrError]]) -> None:
        self._build = build

    @cached_property
    def jpegs(self) -> list[JpegOrError]:
        return self._build()

    def sequence(self, count: int) -> LazySequence[Image]:
        return LazySequence([partial(self._image, index) for index in range(count)])

    def _image(self, index: int) -> Image:
        jpeg = self.jpegs[index]
        if isinstance(jpeg, CannotRebuildError):
            raise jpeg
        return decode_jpeg(jpeg)
