"""A challenge as the store holds it, for processes that rebuild images without DuckDB."""

from dataclasses import dataclass

from data.records.types import Augmentation


@dataclass(frozen=True)
class StoredChallenge:
    """The values of a challenge that rebuilding its image needs; None where the log has none.

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
