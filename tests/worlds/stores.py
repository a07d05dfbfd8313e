"""Small stores with shards made on the spot, for tests of what the golden files do not hold."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import stored_challenges
from analytics.warehouse.connection import reading
from data.records.stored_challenges import StoredChallenges
from data.sources.shards import Shards
from data.store import Store

SHARD = "train-00000-of-00001.parquet"


def picture(size: tuple[int, int], mode: str = "RGB", seed: int = 0) -> Image.Image:
    """A smooth coloured picture with some noise, so that every step of a chain shows."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC).convert(mode)


def encoded(image: Image.Image, image_format: str = "JPEG", **options: Any) -> bytes:
    """The image as a file's bytes."""
    stream = io.BytesIO()
    image.save(stream, format=image_format, **options)
    return stream.getvalue()


def write_shard(
    folder: Path, images: Sequence[bytes], *, as_text: bool = False, ids: Sequence[int] = ()
) -> Path:
    """A shard of these images, in the public data set's form (or with base64 text)."""
    folder.mkdir(parents=True, exist_ok=True)
    column: list[Any] = [{"bytes": raw, "path": "x"} for raw in images]
    if as_text:
        column = [base64.b64encode(raw).decode() for raw in images]
    table = pa.table(
        {
            "Image": column,
            "id": list(ids) or list(range(len(images))),
            "gps": ["[40.00000000, -86.00000000]"] * len(images),
        }
    )
    pq.write_table(table, folder / SHARD, row_group_size=2)
    return folder / SHARD


@dataclass
class World:
    """A store and the records that go into it."""

    store: Store
    record: dict[str, Any]
    records: list[dict[str, Any]] = field(default_factory=list)

    def ask(
        self, row: int, *, size: tuple[int, int] = (320, 240), **changes: Any
    ) -> dict[str, Any]:
        """Add a challenge on a row of the shard; `changes` replace keys of the record."""
        metadata = self.record["metadata"] | {
            "source_parquet": f"/cache/{SHARD}",
            "original_index": str(row),
            "id": row,
            "image_size": list(size),
            "gps": "[40.00000000, -86.00000000]",
        }
        metadata |= changes.pop("metadata", {})
        path = f"challenge {len(self.records)}"
        record = self.record | {"metadata": metadata, "path": path} | changes
        self.records.append(record)
        return record

    def ingest(self) -> StoredChallenges:
        """Ingest all that was asked, in order."""
        log = self.store.root.parent / "log.jsonl"
        log.write_text("".join(json.dumps(r) + "\n" for r in self.records), encoding="utf-8")
        ingest(self.store, [log])
        with reading(self.store) as connection:
            return stored_challenges(connection)

    @property
    def shards(self) -> Shards:
        """The shards of the store."""
        return Shards(self.store.sources)


LEVEL_0: dict[str, Any] = {"data_aug_level": 0, "data_aug_params": {}}


def level_1(angle: float, crop: list[int], **flips: bool) -> dict[str, Any]:
    """The keys of a crop-era level 1 challenge."""
    return {
        "data_aug_level": 1,
        "data_aug_params": {
            "RandomRotationWithParams": {"angle": angle},
            "RandomResizedCropWithParams": {"crop_params": crop},
            "RandomHorizontalFlipWithParams": {"do_flip": True} if flips.get("horizontal") else {},
            "RandomVerticalFlipWithParams": {"do_flip": True} if flips.get("vertical") else {},
        },
    }
