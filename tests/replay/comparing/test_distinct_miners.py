"""The rank beside one miner of each clone group is that of a log without the copies."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from data.store import Store
from replay.comparing.results import Comparison
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.conftest import golden_records
from tests.worlds.replays import ids_by_position, publish_replay

MINERS, COPIES = 7, 3
OF_ANSWERS = ("miner_uids", "miner_hotkeys", "predictions", "rewards")


def logged(golden: Path, miners: int) -> list[dict[str, Any]]:
    """200 challenges that `miners` answer each; those from `MINERS` on copy the first."""
    rng = np.random.default_rng(3)
    records = golden_records(golden, "e7")[:200]
    for record in records:
        for name in [name for name in record if name.startswith("miner_image_")]:
            del record[name]
        own = np.clip(0.7 * rng.random(MINERS) + 0.3 * record["label"], 0, 1).round(6).tolist()
        answers = [*own, *[own[0]] * COPIES][:miners]
        uids = list(range(miners))
        each = (uids, [f"hotkey {uid}" for uid in uids], answers, [0.5] * miners)
        record.update(zip(OF_ANSWERS, each, strict=True))
    return records


def compared(folder: Path, records: list[dict[str, Any]]) -> Comparison:
    log, store = folder / "log.jsonl", Store(folder / "store")
    folder.mkdir()
    log.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    ingest(store, [log])
    guesses = np.random.default_rng(5).random(len(records)).tolist()
    publish_replay(store, {ids_by_position(store)[k]: p for k, p in enumerate(guesses)})
    with reading(store) as connection:
        settings = CompareSettings(BootstrapSettings(draws=100))
        return compare_with_miners(connection, "latest", settings)


def test_copies_of_a_miner_are_ranked_once(golden: Path, tmp_path: Path) -> None:
    with_copies = compared(tmp_path / "copies", logged(golden, MINERS + COPIES))
    without = compared(tmp_path / "alone", logged(golden, MINERS))

    assert with_copies.clones_left_out == COPIES
    assert with_copies.ranks["mcc"].of == 1 + MINERS + COPIES
    assert with_copies.ranks_without_clones == without.ranks
    assert without.clones_left_out == 0
    assert without.ranks_without_clones == without.ranks
