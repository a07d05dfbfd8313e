"""What other processes do to a feature cache; apart, so that they start without torch."""

import os
import sqlite3
from pathlib import Path

import numpy as np

from model.backbone.cache import FeatureCache, Features

SHAPE = (12, 8)


def some(*seeds: int) -> dict[str, Features]:
    """Random features by key, the same for a seed in every process."""
    return {
        f"key {seed}": np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)
        for seed in seeds
    }


def write(folder: Path, first: int) -> None:
    """Put ten features one by one."""
    cache = FeatureCache(folder, "weights", SHAPE)
    for seed in range(first, first + 10):
        cache.put_many(some(seed))


def crash(path: Path) -> None:
    """End in the middle of a transaction that has reached the file."""
    connection = sqlite3.connect(path)
    # so small a page cache that the file itself is written before the commit
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("DELETE FROM features")
    connection.executemany(
        "INSERT INTO features (key, checksum, value) VALUES (?, 0, zeroblob(5000))",
        [("torn",), *((f"torn {place}",) for place in range(50))],
    )
    os._exit(9)
