"""Logs for audits: written, ingested, audited in one call; changed, thinned out, scored again."""

import copy
import json
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from analytics.audit.audit import AuditReport, AuditSettings, Mismatch, audit
from analytics.ingest.ingest import ingest
from analytics.scoring.tracker import EmaScores
from analytics.warehouse.connection import reading
from data.store import Store

Json = dict[str, Any]
Key = tuple[int, int | None, int, str]
"""Position, slot, uid and column of a wrong number."""

COLUMNS = ("accuracy", "precision", "recall", "f1_score", "mcc", "auc", "reward", "score")


def write_lines(path: Path, records: Iterable[Json]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def filled(folder: Path, records: Iterable[Json]) -> Store:
    """A store that holds one file of records."""
    store = Store(folder / "store")
    ingest(store, [write_lines(folder / "challenges.jsonl", records)])
    return store


def audited(store: Store, *, from_start: bool = False) -> AuditReport:
    with reading(store) as connection:
        return audit(connection, AuditSettings(from_start=from_start))


def keys(mismatches: Iterable[Mismatch]) -> set[Key]:
    return {
        (mismatch.position, mismatch.slot, mismatch.uid, mismatch.column) for mismatch in mismatches
    }


def kept(records: Sequence[Json], deleted: Collection[int]) -> tuple[list[Json], set[int]]:
    """The records that are left, and the positions before which some are missing."""
    left = [place for place in range(len(records)) if place not in deleted]
    gaps = {new for new, (old, place) in enumerate(pairwise(left), 1) if place - old > 1}
    return [records[place] for place in left], gaps


def tampered(
    records: Sequence[Json], count: int, rng: np.random.Generator
) -> tuple[list[Json], set[Key]]:
    """A copy with so many numbers of all eight columns changed, by much or by little."""
    changed = copy.deepcopy(list(records))
    wanted: set[Key] = set()
    while len(wanted) < count:
        position = int(rng.integers(len(changed)))
        column = COLUMNS[len(wanted) % len(COLUMNS)]
        record = changed[position]
        if column == "score":
            place = int(rng.integers(len(record["scores"])))
            key: Key = (position, None, place, column)
            numbers = record["scores"]
        else:
            place = int(rng.integers(len(record["predictions"])))
            key = (position, place, record["miner_uids"][place], column)
            numbers = record["rewards" if column == "reward" else f"miner_image_{column}"]
        new = _changed(numbers[place], rng)
        if key in wanted or np.float32(new) == np.float32(numbers[place]):
            continue
        numbers[place] = new
        wanted.add(key)
    return changed, wanted


def _changed(value: float, rng: np.random.Generator) -> float:
    match int(rng.integers(4)):
        case 0:
            return value + 0.125 if value < 0.5 else value - 0.125
        case 1:
            return value + 1e-6
        case 2:
            return value * 0.95 + 0.001
        case _:
            return float(rng.random())


def scored_again(records: Sequence[Json], restarts: Collection[int] = ()) -> list[Json]:
    """A copy whose scores follow from its rewards, of a validator of which no uid is a validator.

    Before each record in `restarts` the process starts again, with scores of 0.
    """
    again = copy.deepcopy(list(records))
    uids = len(again[0]["scores"])
    scores = EmaScores(np.zeros(uids))
    for position, record in enumerate(again):
        if position in restarts:
            scores = EmaScores(np.zeros(uids))
        asked = record["miner_uids"]
        scores.update([asked] if isinstance(asked, int) else asked, record["rewards"])
        record["scores"] = scores.values.tolist()
    return again
