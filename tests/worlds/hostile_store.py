"""A store whose every text field and file name is hostile to a terminal, and commands on it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import writing
from data.store import Store
from tests.conftest import GOLDEN, golden_records
from tests.worlds.replays import ids_by_position, publish_replay

# Clears a screen, sets a title, turns text around, hides a letter; markup and an emoji of `rich`;
# letters that cp1252 and ASCII lack.
HOSTILE = "\x1b[2J\x1b]0;title\x07\r\x9b31m\x7f\u202e\u2066\u200b\ufe0f\u3164[bold red]:fire:é日"
# A file's name holds no NUL and no slash; anything else it may.
NAME = HOSTILE.encode("utf-8").decode("utf-8")


def write_hostile_store(folder: Path) -> None:
    """A store of a log whose every text field, file name and model name is hostile."""
    store = Store(folder / f"store{NAME}")
    log = folder / f"log{NAME}.jsonl"
    records = golden_records(GOLDEN, "e9")[:16]
    lines = [json.dumps(_hostile_record(record)) for record in records]
    wild = json.dumps(_hostile_text(records[0]))
    broken = f'{{"label": "{HOSTILE}\n{{"label": 1, "{HOSTILE}": '
    log.write_text("\n".join([*lines, wild, broken]), encoding="utf-8")
    ingest(store, [log])
    store.sources.mkdir()
    (store.sources / f"shard{NAME}.parquet").write_bytes(b"no parquet")
    ids = list(ids_by_position(store).values())
    for run in ("replay-a", "replay-b"):
        guesses = np.random.default_rng(len(run)).random(len(ids))
        publish_replay(store, dict(zip(ids, guesses.tolist(), strict=True)), run)
    with writing(store) as writer:
        writer.connection.execute("UPDATE replay_runs SET model = ?", [f"model{HOSTILE}"])
    Image.new("RGB", (64, 48)).save(folder / f"photo{NAME}.png")


def _hostile_record(record: dict[str, Any]) -> dict[str, Any]:
    """What may say anything while the record stays one that is scored and compared."""
    free = {"source_parquet", "city_name", "scene_description", "video_info.vid_id"}
    metadata = {
        key: f"{HOSTILE}{value}{HOSTILE}.parquet"
        if key in free or key.startswith("scene_level_tags")
        else value
        for key, value in record["metadata"].items()
    }
    hotkeys = [f"{HOSTILE}{hotkey}" for hotkey in record["miner_hotkeys"]]
    return record | {"metadata": metadata, "miner_hotkeys": hotkeys}


def _hostile_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hostile_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hostile_text(item) for item in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


SLOW = ("audit", "miners", "leaks", "replay", "render", "train", "views")


def quick_commands(folder: Path) -> list[list[str]]:
    """Those commands that take no second each, in every way of printing."""
    return [
        words
        for words in commands(folder)
        if not set(SLOW).intersection(words) and "--slices" not in words
    ]


def commands(folder: Path) -> list[list[str]]:
    """Every command, some of them failing, with hostile names of files where they take any."""
    store = ["--store", str(folder / f"store{NAME}")]
    query = "SELECT file, city, scene_description, weather, hotkey, reason FROM media "
    query += "LEFT JOIN responses USING (challenge_id) LEFT JOIN rejects USING (file) LIMIT 300"
    columns = f'SELECT 1 AS "{HOSTILE}", [city] AS l FROM media'  # noqa: S608
    out = str(folder / f"out{NAME}")
    return [
        ["ingest", str(folder / f"log{NAME}.jsonl"), "--store", str(folder / "second")],
        ["ingest", str(folder / f"nowhere{NAME}"), *store],
        ["sql", query, *store],
        ["sql", query, "--format", "csv", *store],
        ["sql", query, "--format", "json", *store],
        ["sql", columns, *store],
        ["sql", columns, "--format", "csv", *store],
        ["sql", f"SELECT {HOSTILE}", *store],
        ["audit", *store],
        ["audit", "--from-start", *store],
        ["audit", "--json", *store],
        ["miners", *store],
        ["miners", "--json", *store],
        ["leaks", *store],
        ["leaks", "--json", *store],
        ["sources", *store],
        ["sources", "--json", *store],
        ["render", "--out", out, "--sheet", f"{out}.png", "--limit", "3", *store],
        ["render", "--out", out, "--json", "--limit", "3", *store],
        ["render", HOSTILE, "--out", out, *store],
        ["replay", "--model", "orange", "--limit", "3", *store],
        ["replay", "--model", f"hf:./{HOSTILE}", *store],
        ["replay", "--model", f"{HOSTILE}:x", *store],
        ["compare", "replay-a", "--slices", "--draws", "100", "--against", "replay-b", *store],
        ["compare", "replay-a", "--draws", "100", "--json", *store],
        ["compare", HOSTILE, *store],
        ["views", str(folder / f"photo{NAME}.png"), "--out", f"{out}-views.png"],
        ["train", "--out", f"{out}-model", *store],
        ["describe", out],
        ["describe", "--json"],
        ["demo"],
        [HOSTILE],
        ["sql", "1", f"--{HOSTILE}"],
        ["compare", "--draws", HOSTILE],
        ["--debug", "compare", HOSTILE, *store],
        ["--help"],
        ["train", "--help"],
    ]
