"""Datasets of challenge images: rebuilt anew whenever asked for, or kept once they are built.

Both give whole batches (`__getitems__`), so that labels are looked up once a batch. An image that
cannot be rebuilt, or not be had from a server now, is returned as its error: a `DataLoader` would
word it anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from data.errors import SourceAccessError, SourceError
from data.sources.shards import Shards
from data.sources.source_path import SourcePath
from model.datasets.augmentation import ImageAugmentation
from model.datasets.batch import Batch, RowDraw, RowTable
from model.datasets.challenge_draws import Sample, decode_jpeg, draw_challenge
from model.datasets.jpegs import build_jpegs
from model.datasets.settings import DatasetSettings
from model.datasets.view_choice import chosen_views
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder

BatchOrError = Batch | SourceError | SourceAccessError


@dataclass(frozen=True)
class ImageSource:
    """All that determines the images of a split's rows; `folder` is that of the shards.

    It goes to other processes, which open the shards for themselves.
    """

    folder: SourcePath
    table: RowTable
    settings: DatasetSettings
    seed: int

    def sample(self, draw: RowDraw) -> Sample:
        """The challenge that a draw stands for."""
        row = self.table.rows[draw.row]
        return draw_challenge(row, draw.row, draw.draw, self.seed, self.settings)


class FreshImages(Dataset[BatchOrError]):
    """Images of training challenges, rebuilt and augmented each time, in a loader's processes."""

    def __init__(
        self, source: ImageSource, views: int, augmentation: ImageAugmentation | None = None
    ) -> None:
        """Take the source, how many views a challenge shows, and changes beyond the validator's."""
        self._source, self._views, self._augmentation = source, views, augmentation
        self._rebuilder: Rebuilder | None = None

    def __len__(self) -> int:
        return len(self._source.table)

    def __getitem__(self, draw: RowDraw) -> BatchOrError:
        """One challenge, as a batch."""
        return self.__getitems__([draw])

    def __getitems__(self, draws: Sequence[RowDraw]) -> BatchOrError:
        """The challenges that a sampler asks for, or why one cannot be rebuilt."""
        source = self._source
        try:
            if self._rebuilder is None:
                self._rebuilder = Rebuilder(
                    Shards(source.folder), source.seed, arithmetic=source.settings.arithmetic
                )
            images = torch.stack([self._image(draw, self._rebuilder) for draw in draws])
        except (SourceError, SourceAccessError) as error:
            return error
        views = chosen_views(draws, source.table.scenes, self._views, source.seed)
        return source.table.batch(draws, images, views)

    def _image(self, draw: RowDraw, rebuilder: Rebuilder) -> torch.Tensor:
        sample = self._source.sample(draw)
        image = _as_tensor(rebuilder.rebuild(sample.challenge, sample.variant).jpeg)
        if self._augmentation is None:
            return image
        return self._augmentation(image, self._source.table.rows[draw.row].scene, draw.draw)


class KeptImages(Dataset[BatchOrError]):
    """All draws of validation rows, row by row: built in threads when first asked for, then kept.

    A kept image is its JPEG, some 10 KB.
    """

    def __init__(self, source: ImageSource, threads: int) -> None:
        """Take the source, and how many threads rebuild."""
        self._source, self._threads = source, threads
        self._jpegs: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._source.table) * self._source.settings.draws

    def __getitem__(self, index: int) -> BatchOrError:
        """One challenge, as a batch."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> BatchOrError:
        """The challenges at some indices, or why one cannot be rebuilt."""
        draws = self._source.settings.draws
        wanted = {index: RowDraw(index // draws, index % draws, 0) for index in indices}
        missing = [index for index in sorted(wanted) if index not in self._jpegs]
        samples = [self._source.sample(wanted[index]) for index in missing]
        try:
            built = build_jpegs(
                samples,
                Shards(self._source.folder),
                self._source.seed,
                self._threads,
                arithmetic=self._source.settings.arithmetic,
            )
        except (SourceError, SourceAccessError) as error:
            return error
        for index, jpeg in zip(missing, built, strict=True):
            if isinstance(jpeg, CannotRebuildError):
                return jpeg
            self._jpegs[index] = jpeg
        images = torch.stack([_as_tensor(self._jpegs[index]) for index in indices])
        return self._source.table.batch([wanted[index] for index in indices], images)


def _as_tensor(jpeg: bytes) -> torch.Tensor:
    """The pixels of a JPEG, uint8 (3, H, W)."""
    pixels = np.ascontiguousarray(decode_jpeg(jpeg).transpose(2, 0, 1))
    return torch.from_numpy(pixels)
