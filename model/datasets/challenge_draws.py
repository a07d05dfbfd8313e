"""Samples: challenges that a validator could send of source rows, augmented as in a replay.

Each row gives several challenges. A challenge's level, rotation, crop and distortions are drawn by
(seed, scene, number) alone, and its image ends as the JPEG that miners get. So rows of one scene,
such as a drawn one with and without its roadwork, are cropped and distorted alike.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage

from analytics.simulation.augmentation import augmentation_params
from data.records.augmentation import LEVELS, read_augmentation
from data.records.stored_challenge import StoredChallenge
from model.datasets.settings import DatasetSettings, Era
from model.rows.training_row import TrainingRow
from replay.candidates.predictor import Image
from replay.rebuilding.variants import Variant, distortion_combinations

# One era of each geometry; almost every log is of a crop era.
_ERAS: Mapping[Era, str] = {"crop": "E7", "letterbox": "E9"}


@dataclass(frozen=True)
class Sample:
    """One challenge of the row at the index `row`, and the variant of its image to train on."""

    row: int
    challenge: StoredChallenge
    variant: Variant


def draw_samples(
    row: TrainingRow,
    index: int,
    count: int,
    seed: int,
    settings: DatasetSettings = DatasetSettings(),
) -> list[Sample]:
    """The challenges of a row of the numbers 0 to `count` - 1; else as `draw_challenge`."""
    return [draw_challenge(row, index, number, seed, settings) for number in range(count)]


def draw_challenge(
    row: TrainingRow,
    index: int,
    number: int,
    seed: int,
    settings: DatasetSettings = DatasetSettings(),
) -> Sample:
    """One challenge of a row, as a validator of the era draws it.

    Args:
        row: the source row.
        index: the row's index among all of them, kept in the sample.
        number: of the challenge: another number draws another one of the same row.
        seed: of the draws.
        settings: the era, and the shares of the levels.
    """
    generator = np.random.default_rng(int(_digest(f"{seed} {row.scene} {number}"), 16))
    letterbox = settings.era == "letterbox"
    level = _draw_level(settings.level_shares, generator)
    params = augmentation_params(row.size, level, letterbox=letterbox, generator=generator)
    combinations = distortion_combinations(level)
    chosen = int(generator.integers(len(combinations)))
    # a rebuild keeps what challenges of one id share, so that draws by other settings need others
    drawn_by = f"{settings.era} {settings.level_shares}"
    challenge = StoredChallenge(
        challenge_id=_digest(f"{seed} {row.parquet} {row.row} {number} {drawn_by}"),
        file=row.parquet,
        position=row.row,
        era=_ERAS[settings.era],
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


def _draw_level(shares: Sequence[float], generator: np.random.Generator) -> int:
    """A level, 0 to 3, in these shares; equal ones are the validator's."""
    return int(generator.choice(LEVELS, p=np.array(shares) / sum(shares)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def decode_jpeg(jpeg: bytes) -> Image:
    """The pixels of a JPEG as miners decode it, uint8 (H, W, 3)."""
    return np.asarray(PillowImage.open(io.BytesIO(jpeg)).convert("RGB"))
