"""Speed of rebuilding images in worker processes, against one process."""

import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from data.records.stored_challenge import StoredChallenge
from data.records.stored_challenges import StoredChallenges
from data.sources.shards import Shards
from data.terminal import print_table
from replay.answering.image_workers import ImageBuilder, PartImages, PlannedImage, image_builder
from replay.plans.plan import plan
from tests.bench.rebuild import crops, photograph

SHARD = "bench-00000-of-00001.parquet"
SIZE = (1920, 1080)
ROWS = 96
PART = 32
WORKERS = (1, 2)


def write_shard(folder: Path) -> None:
    images = [{"bytes": photograph(SIZE), "path": None}] * ROWS
    pq.write_table(pa.table({"image": images}), folder / SHARD, row_group_size=PART)


def challenges() -> Iterator[StoredChallenge]:
    for row, augmentation in enumerate(crops(SIZE, seed=4)):
        yield StoredChallenge(
            challenge_id=f"{row:016x}",
            file="bench",
            position=row,
            era="E7",
            label=0,
            source="real",
            parquet=SHARD,
            row=row,
            source_id=None,
            gps=None,
            image_size=SIZE,
            augmentation=augmentation,
        )


def seconds(build: ImageBuilder, wanted: list[PlannedImage]) -> float:
    """All parts, each begun while the one before is read, as a replay does it."""
    start = time.perf_counter()
    following: PartImages | None = None
    for at in range(0, len(wanted), PART):
        part = following or build(wanted[at : at + PART])
        part.build_ahead()
        if at + PART < len(wanted):
            following = build(wanted[at + PART : at + 2 * PART])
            following.build_ahead()
        for index in range(len(wanted[at : at + PART])):
            part.image(index)
    return time.perf_counter() - start


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        write_shard(Path(name))
        shards = Shards(Path(name))
        planned = plan(StoredChallenges.of(islice(challenges(), ROWS)), shards)
        wanted = [(item, variant) for item in planned for variant in item.variants]
        rows, best = [], {}
        for workers in WORKERS:
            with image_builder(shards, 0, workers) as build:
                start = time.perf_counter()
                seconds(build, wanted[: 2 * workers])  # processes start, and load what they need
                started = time.perf_counter() - start
                best[workers] = min(seconds(build, wanted) for _ in range(3))
            rate = len(wanted) / best[workers]
            rows.append((workers, started, best[workers], rate, best[1] / best[workers]))
    print_table(
        f"rebuilding {ROWS} level 1 images of {SIZE[0]} x {SIZE[1]}, a row each; best of 3",
        ("processes", "start s", "rebuild s", "images/s", "x one"),
        rows,
    )


if __name__ == "__main__":
    main()
