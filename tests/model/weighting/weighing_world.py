"""A world without images: source rows of three cities, a log of them, and a replay of the log."""

from pathlib import Path
from typing import Any

import numpy as np

from analytics.ingest.ingest import ingest
from analytics.simulation.sources import SimulatedSource
from analytics.simulation.validator import simulate
from analytics.warehouse.connection import reading, writing
from data.records.cities import CITIES
from data.records.fields import read_fields
from data.store import Store
from model.rows.training_row import TrainingRow
from tests.worlds.audit_logs import write_lines
from tests.worlds.replays import publish_replay
from tests.worlds.simulated_logs import small_settings

SHARD = "train-00000-of-00001.parquet"
COMMON = "denver"
"""A sixth of the rows, and over half of the log."""

_CITIES = (COMMON, "boston", "boston", "phoenix", "phoenix", "phoenix")


def sources(count: int = 240) -> list[SimulatedSource]:
    """Rows with a city, a daytime and a weather, by their number alone; every tenth lacks GPS."""
    return [_source(row) for row in range(count)]


def _source(row: int) -> SimulatedSource:
    city = _CITIES[row // 2 % len(_CITIES)]
    latitude, longitude = CITIES[city]
    label = row % 2
    columns: dict[str, Any] = {
        "id": row,
        "label": label,
        "scene_description": "a work zone" if label else None,
        "gps": None if row % 10 == 9 else f"[{latitude + row * 1e-4:.6f}, {longitude:.6f}]",
        "city_name": city,
        "video_info.vid_id": f"v{row // 2}",
        "video_info.frame_id": "0",
        "scene_level_tags.daytime": "Dark" if row % 3 == 0 else "Light",
        "scene_level_tags.weather": "['Cloudy', 'Wet']" if row % 5 == 0 else "['Sunny']",
    }
    return SimulatedSource(SHARD, row, "jpeg", (1920, 1080), "RGB", columns)


def rows_of(listed: list[SimulatedSource]) -> list[TrainingRow]:
    """As `list_rows` reads them."""
    rows = []
    for source in listed:
        read = read_fields({"metadata": dict(source.columns)})
        nulls = {f"{name}_null": kind for name, kind in read.nulls.items()}
        label = source.sendable_label
        assert label is not None
        rows.append(TrainingRow(SHARD, source.row, label, source.image_size, read.columns | nulls))
    return rows


def logged_store(folder: Path, challenges: int = 500, seed: int = 5) -> Store:
    """A store with a log in which the common city is sent seven times as often."""
    listed = sources()
    sent = [one for one in listed for _ in range(7 if one.columns["city_name"] == COMMON else 1)]
    settings = small_settings(seed=seed, challenges=challenges)
    store = Store(folder / "store")
    ingest(store, [write_lines(folder / "log.jsonl", list(simulate(settings, sent)))])
    return store


def add_replay(store: Store, *, wrong_in: str | None, run_id: str = "replay-a") -> None:
    """A candidate that is right in 8 of 10 challenges, by chance; in a city always wrong.

    Its first of two views has a share of 0.8, and where it is wrong in that city of 0.2.
    """
    rng = np.random.default_rng(3)
    with reading(store) as connection:
        found = connection.execute(
            "SELECT challenge_id, label, city FROM media ORDER BY challenge_id"
        ).fetchall()
    answers: dict[str, list[float] | float | None] = {}
    gates = []
    for challenge_id, label, city in found:
        right = rng.random() < 0.8
        if city == wrong_in:
            right = rng.random() < 0.2
        answers[challenge_id] = 0.9 if bool(label) == right else 0.1
        share = 0.2 if city == wrong_in and not right else 0.8
        share += float(rng.normal(0, 0.02))
        gates += [
            (run_id, challenge_id, view, value, value)
            for view, value in enumerate((share, 1 - share), start=1)
        ]
    publish_replay(store, answers, run_id)
    with writing(store) as writer:
        writer.connection.executemany("INSERT INTO replay_gates VALUES (?, ?, ?, ?, ?)", gates)
