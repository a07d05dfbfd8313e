"""Images drawn in memory and augmented as validators do, without a parquet file."""

import io

import numpy as np
from PIL import Image as PillowImage

from model.datasets.challenge_draws import Sample, decode_jpeg, draw_samples
from model.rows.training_row import TrainingRow
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


def samples_of(rows: list[TrainingRow], images: int, seed: int) -> list[Sample]:
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
