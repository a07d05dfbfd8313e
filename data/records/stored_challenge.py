"""A challenge as the store holds it, for processes that rebuild images without DuckDB."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from data.records.types import Augmentation, Geometry

_PLAIN = (
    "challenge_id",
    "file",
    "position",
    "era",
    "label",
    "source",
    "parquet",
    "row",
    "source_id",
)
_AUGMENTATION = tuple(field.name for field in fields(Augmentation))


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


def stored_challenge(row: Mapping[str, Any]) -> StoredChallenge:
    """A challenge of the values of its row of `media`, by column."""
    letterbox, geometry = row["letterbox_padding"], row["geometry"]
    parameters = {name: row[name] for name in _AUGMENTATION} | {
        "geometry": None if geometry is None else Geometry(geometry),
        "letterbox_padding": None if letterbox is None else tuple(letterbox),
    }
    return StoredChallenge(
        gps=_pair(row["gps_lat"], row["gps_lon"]),
        image_size=_pair(row["image_width"], row["image_height"]),
        augmentation=Augmentation(**parameters),
        **{name: row[name] for name in _PLAIN},
    )


def stored_row(challenge: StoredChallenge) -> dict[str, Any]:
    """The values of a challenge by column of `media`, as `stored_challenge` takes them."""
    latitude, longitude = challenge.gps or (None, None)
    width, height = challenge.image_size or (None, None)
    plain = {name: getattr(challenge, name) for name in _PLAIN}
    augmentation = {name: getattr(challenge.augmentation, name) for name in _AUGMENTATION}
    return {
        **plain,
        **augmentation,
        "gps_lat": latitude,
        "gps_lon": longitude,
        "image_width": width,
        "image_height": height,
    }


def _pair(first: Any, second: Any) -> tuple[Any, Any] | None:
    return None if first is None or second is None else (first, second)
