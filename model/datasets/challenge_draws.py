"""Samples: challenges that a validator could send of source rows, augmented as in a replay.

Each row gives several challenges. A challenge's level, rotation, crop and distortions are drawn by
(seed, scene, number) alone, and its image ends as the JPEG that miners get. So rows of one scene,
such as a drawn one with and without its roadwork, are cropped and distorted alike.
"""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage

from analytics.simulation.augmentation import augmentation
from data.records.augmentation import read_augmentation
from data.records.stored_challenge import StoredChallenge
from model.datasets.training_row import TrainingRow
from replay.candidates.predictor import Image
from replay.rebuilding.variants import Variant, distortion_combinations

# The crop eras, E4 to E8, as in almost every log.
_ERA = "E7"


@dataclass(frozen=True)
class Sample:
    """One challenge of the row at the index `row`, and the variant of its image to train on."""

    row: int
    challenge: StoredChallenge
    variant: Variant


def draw_samples(row: TrainingRow, index: int, count: int, seed: int) -> list[Sample]:
    """`count` challenges of a row as a validator of the crop eras draws them: levels 0 to 3."""
    return [_draw(row, index, number, seed) for number in range(count)]


def _draw(row: TrainingRow, index: int, number: int, seed: int) -> Sample:
    challenge_id = _digest(f"{seed} {row.parquet} {row.row} {number}")
    generator = np.random.default_rng(int(_digest(f"{seed} {row.scene} {number}"), 16))
    level, params = augmentation(row.size, letterbox=False, generator=generator)
    combinations = distortion_combinations(level)
    chosen = int(generator.integers(len(combinations)))
    challenge = StoredChallenge(
        challenge_id=challenge_id,
        file=row.parquet,
        position=row.row,
        era=_ERA,
        label=row.label,
        source="real",
        parquet=row.parquet,
        row=row.row,
        source_id=None,
        gps=None,
        image_size=row.size,
        augmentation=read_augmentation({"data_aug_level": level, "data_aug_params": params}),
    )
    return Sample(index, challenge, Variant(combinations[chosen], 1.0, chosen))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def decode_jpeg(jpeg: bytes) -> Image:
    """The pixels of a JPEG as miners decode it, uint8 (H, W, 3)."""
    return np.asarray(PillowImage.open(io.BytesIO(jpeg)).convert("RGB"))
