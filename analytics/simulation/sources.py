"""Source images of simulated challenges: rows of the public data set, or generated images.

Forms of the records follow the validator's `ImageCache.sample` and `SyntheticDataGenerator`
(DOMAIN.md §1, §6).
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from analytics.simulation.augmentation import Size

_CACHE = "/home/ubuntu/.cache/natix"
_T2I_FROM = datetime(2025, 9, 16, tzinfo=UTC)
_SYNTHETIC_SIZE = (1024, 1024)
_SYNTHETIC_DIFFICULTY = (0.5, 0.8)
_MASK_SPREAD = 64
_ROWS_AT_A_TIME = 16

_MODELS = {
    "i2i": "stabilityai/stable-diffusion-xl-base-1.0-img2img",
    "t2i": "stabilityai/stable-diffusion-xl-base-1.0",
}
_SCENES = (
    (
        "a city street with parked cars on both sides",
        "a highway with light traffic under a clear sky",
        "a suburban road lined with trees",
    ),
    (
        "a street with orange cones and a closed lane",
        "workers in vests beside an excavator on the road",
        "a road narrowed by barriers and drums",
    ),
)
_STYLE = "dashcam footage, driver's perspective, realistic road scene, street level view"


@dataclass(frozen=True)
class SimulatedSource:
    """One row of the public data set, as its parquet shard holds it.

    `parquet` is a file name, `row` its 0-based row; `image_*` describe the cached image
    (`image_format` is 'jpeg' or 'png', `image_size` width and height in pixels, `image_mode`
    Pillow's). `columns` are the data set's, less the image, as JSON values.
    """

    parquet: str
    row: int
    image_format: str
    image_size: Size
    image_mode: str
    columns: Mapping[str, Any]

    @property
    def sendable_label(self) -> int | None:
        """The label that a validator sends it with: 1 only with a description, 0 only without.

        None: never sent. This is the label leak of DOMAIN.md §7.
        """
        label = self.columns["label"]
        described = bool(self.columns["scene_description"])
        return int(label) if label in (0, 1) and described == bool(label) else None


def sources_of_shard(path: Path) -> list[SimulatedSource]:
    """Every row of a parquet shard in the data set's form; of images only the header is read."""
    sources: list[SimulatedSource] = []
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_ROWS_AT_A_TIME):
        for row in batch.to_pylist():
            with Image.open(io.BytesIO(row.pop("image")["bytes"])) as image:
                sources.append(
                    SimulatedSource(
                        parquet=path.name,
                        row=len(sources),
                        image_format=(image.format or "").lower(),
                        image_size=image.size,
                        image_mode=image.mode,
                        columns=row,
                    )
                )
    return sources


@dataclass(frozen=True)
class ChallengeImage:
    """The source image of one challenge: record keys, size in pixels, difficulty in logits."""

    record: dict[str, Any]
    source: str
    task: str
    size: Size
    difficulty: float


def real_image(source: SimulatedSource, difficulty: float) -> ChallengeImage:
    """A cached row of the data set; the metadata repeat its columns."""
    stem = source.parquet.removesuffix(".parquet")
    cache = f"{_CACHE}/Roadwork/image"
    metadata = {
        "source_parquet": f"{cache}/sources/{source.parquet}",
        "original_index": str(source.row),
        "image_format": source.image_format,
        "image_size": list(source.image_size),
        "image_mode": source.image_mode,
        **source.columns,
    }
    path = f"{cache}/{stem}__image_{source.row}.{source.image_format}"
    record = _record(path, metadata, mask_center=None)
    return ChallengeImage(record, "real", "real", source.image_size, difficulty)


def synthetic_image(label: int, time: datetime, generator: np.random.Generator) -> ChallengeImage:
    """A generated image: a prompt, no GPS, no tags; a description only if the label is 1."""
    task = str(generator.choice(["t2i", "i2i"])) if time >= _T2I_FROM else "i2i"
    scene = str(generator.choice(_SCENES[label]))
    seconds = time.timestamp() - float(generator.uniform(60.0, 3600.0))
    metadata = {
        "prompt": f"{scene}, {_STYLE}",
        "prompt_long": scene,
        "time": seconds,
        "model_name": _MODELS[task],
        "gen_time": float(generator.uniform(4.0, 12.0)),
        "mask_center": _mask_center(generator) if task == "i2i" else None,
        "label": label,
        "scene_description": scene if label == 1 else "",
    }
    # the generator replaces the fraction of the time by the suffix
    path = f"{_CACHE}/Synthetic/{task}/{int(seconds)}.png"
    record = _record(path, metadata, mask_center=metadata["mask_center"])
    difficulty = float(generator.normal(*_SYNTHETIC_DIFFICULTY))
    return ChallengeImage(record, "synthetic", task, _SYNTHETIC_SIZE, difficulty)


def _record(path: str, metadata: dict[str, Any], mask_center: object) -> dict[str, Any]:
    return {
        "path": path,
        "dataset": None,
        "index": None,
        "mask_center": mask_center,
        "metadata": metadata,
    }


def _mask_center(generator: np.random.Generator) -> list[int]:
    middle = _SYNTHETIC_SIZE[0] // 2
    return [middle + int(generator.integers(-_MASK_SPREAD, _MASK_SPREAD)) for _ in "xy"]
