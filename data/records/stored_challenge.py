"""One challenge as the store holds it; without DuckDB, for processes that only rebuild images."""

from dataclasses import dataclass

from data.records.types import Augmentation


@dataclass(frozen=True)
class StoredChallenge:
    """What a rebuild needs to know of a challenge; None where the log does not tell.

    `gps` is (latitude, longitude) in degrees, `image_size` the cached image's (width, height).
    """

    challenge_id: str
    file: str
    position: int
    era: str
    label: int
    source: str | None
    parquet: str | None
    row: int | None
    source_id: int | None
    gps: tuple[float, float] | None
    image_size: tuple[int, int] | None
    augmentation: Augmentation
