"""A source row to train on: its label and metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingRow:
    """One row: its shard's file name, 0-based row, label, and the image's (width, height).

    `metadata` has the columns of `queries.challenges.challenge_metadata`, and `vid_id`; an
    unreadable value is NULL.
    """

    parquet: str
    row: int
    label: int
    size: tuple[int, int]
    metadata: Mapping[str, Any]

    @property
    def vid_id(self) -> str | None:
        """The video that the row is a frame of, None if unknown."""
        return None if self.metadata.get("vid_id_null") else self.metadata.get("vid_id")

    @property
    def scene(self) -> str:
        """The same for rows of one frame of a video; otherwise different for every row."""
        frame = self.metadata.get("frame_id")
        if self.vid_id is None or frame is None:
            return f"{self.parquet} {self.row}"
        return f"{self.vid_id} {frame}"

    @property
    def gps(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, None if unknown."""
        lat, lon = self.metadata.get("gps_lat"), self.metadata.get("gps_lon")
        return None if lat is None or lon is None else (lat, lon)
