"""Images drawn in memory and augmented as validators do, without a parquet file."""

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image as PillowImage
from torch.utils.data import Dataset

from model.datasets.batch import Batch, RowDraw, RowTable
from model.datasets.challenge_draws import Sample, decode_jpeg, draw_challenge, draw_samples
from model.datasets.view_choice import chosen_views
from model.rows.training_row import TrainingRow
from model.views.views import VIEWS
from replay.augmentation.augment import augment
from replay.candidates.predictor import Image

_WIDTH, _HEIGHT = 480, 320
_ORANGE = (255, 120, 20)
_CONES = 6


def draw_image(width: int, height: int, seed: int, *, roadwork: bool) -> Image:
    """A smooth image with noise, uint8 (H, W, 3); with orange cones where there is roadwork."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 200, (6, 9, 3), dtype=np.uint8)
    smooth = PillowImage.fromarray(coarse).resize((width, height), PillowImage.Resampling.BICUBIC)
    pixels = np.asarray(smooth) + generator.integers(0, 40, (height, width, 3), dtype=np.uint8)
    for _ in range(_CONES if roadwork else 0):
        top, left = (int(generator.integers(side)) for side in (height, width))
        pixels[top : top + height // 5, left : left + width // 12] = _ORANGE
    return pixels


def jpeg(pixels: Image) -> bytes:
    """The JPEG that is sent of an image: Pillow's defaults."""
    encoded = io.BytesIO()
    PillowImage.fromarray(pixels).save(encoded, format="JPEG")
    return encoded.getvalue()


def training_rows(count: int) -> list[TrainingRow]:
    """Rows, half of them with roadwork, all of one size, each of a scene of its own."""
    return [
        TrainingRow("drawn.parquet", row, row % 2, (_WIDTH, _HEIGHT), {"weather": ("Sunny",)})
        for row in range(count)
    ]


def samples_of(rows: Sequence[TrainingRow], images: int, seed: int) -> list[Sample]:
    """Challenges of rows as a validator draws them."""
    return [
        sample
        for index, row in enumerate(rows)
        for sample in draw_samples(row, index, images, seed)
    ]


def jpeg_of(sample: Sample) -> bytes:
    """The JPEG of a sample without the distortions of levels 2 and 3, which need OpenCV."""
    challenge = sample.challenge
    drawn = draw_image(_WIDTH, _HEIGHT, challenge.position, roadwork=challenge.label == 1)
    return jpeg(augment(PillowImage.fromarray(drawn), challenge.augmentation))


def image_of(sample: Sample) -> Image:
    """The image of a sample as a miner decodes it: uint8 (224, 224, 3)."""
    return decode_jpeg(jpeg_of(sample))


class DrawnImages(Dataset[Batch]):
    """Images of rows, without metadata, as a loader asks for them.

    Asked for draws of rows as in training, or for one challenge of each row as in validation.
    """

    def __init__(self, table: RowTable, seed: int, views: int = VIEWS) -> None:
        """Take the rows, the seed of their challenges, and how many views are shown."""
        self._table, self._seed, self._views = replace(table, metadata=None), seed, views

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, draw: RowDraw | int) -> Batch:
        """One challenge, as a batch."""
        return self.__getitems__([draw])

    def __getitems__(self, wanted: Sequence[RowDraw | int]) -> Batch:
        """The challenges of some draws, or of some rows."""
        draws = [RowDraw(draw, 0, 0) if isinstance(draw, int) else draw for draw in wanted]
        images = np.stack([self._image(draw) for draw in draws]).transpose(0, 3, 1, 2)
        views = chosen_views(draws, self._table.scenes, self._views, self._seed)
        return self._table.batch(draws, torch.from_numpy(np.ascontiguousarray(images)), views)

    def _image(self, draw: RowDraw) -> Image:
        row = self._table.rows[draw.row]
        return image_of(draw_challenge(row, draw.row, draw.draw, self._seed))
