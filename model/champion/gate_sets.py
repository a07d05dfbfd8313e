"""Gate sets that were used, and how many challengers each has judged.

A challenger is one more attempt on every gate set that shares a source image with an earlier one:
a log that grew by a day is not a fresh gate. Only a set without any common image begins anew.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from data.atomic_files import make_folder, write_atomic
from data.store import Store
from model.champion.promotions import Entry, GateRecord
from model.promotion_gate.evidence import Evidence, GateSet

_FOLDER = "gate_sets"


def attempt_number(store: Store, entries: Iterable[Entry], evidence: Evidence) -> int:
    """The number of this challenger on its gate set, from 1.

    The same champion and challenger on the same gate set keep theirs: they are judged again to the
    same verdict, which spends nothing.

    Args:
        store: which keeps the images of gate sets.
        entries: of the promotions log.
        evidence: to be judged.
    """
    records = [entry.gate for entry in entries if entry.gate is not None]
    own = (evidence.gate_set.sha256, evidence.champion_id, evidence.challenger_id)
    for record in records:
        if own == (record.gate_set, record.champion_id, record.challenger_id):
            return record.attempt
    judged = {_tried(record): record.gate_set for record in records}
    shared = {name: _overlap(store, name, evidence.gate_set) for name in set(judged.values())}
    return 1 + sum(shared[name] for name in judged.values())


def keep_gate_set(store: Store, gate_set: GateSet) -> None:
    """Keep which images a gate set has.

    Raises:
        WriteError: the store cannot be written.
    """
    file = _file(store, gate_set.sha256)
    if file.is_file():
        return
    make_folder(file.parent)
    write_atomic(file, json.dumps(sorted(gate_set.images)).encode())


def _tried(record: GateRecord) -> tuple[str, str, str]:
    return record.gate_set, record.champion_id, record.challenger_id


def _overlap(store: Store, sha256: str, gate_set: GateSet) -> bool:
    """Whether an earlier gate set shares an image; True if its images are no longer known."""
    if sha256 == gate_set.sha256:
        return True
    try:
        images = json.loads(_file(store, sha256).read_bytes())
        return not gate_set.images.isdisjoint(images)
    except (OSError, ValueError, TypeError, RecursionError):
        return True


def _file(store: Store, sha256: str) -> Path:
    return store.models / _FOLDER / f"{Path(sha256).name}.json"
