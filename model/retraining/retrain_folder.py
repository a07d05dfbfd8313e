"""The folder of a retraining in the store: what was asked, what is done, and when.

`retrain.json` is written anew after each step, so that a retraining that was cut off goes on where
it stood, by what was decided when it began; `sample_weights.parquet`, `trained/` and `checkpoint/`
are what it made, `report.json` and `report.txt` say what it did.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.atomic_files import make_folder, remove_left_overs, write_atomic
from data.file_lock import locked
from data.store import Store

_PREFIX, _FILE = "retrain-", "retrain.json"
_LOCK = "retrain.lock"

DECISION, OUTCOME = "decision", "outcome"
"""The steps that begin and end a retraining."""


@dataclass
class RetrainFolder:
    """A retraining's folder, and its steps that are done, by name, as `retrain.json` has them.

    `minutes` are what was spent until the last step that is done, by what they were spent on.
    """

    path: Path
    asked: dict[str, Any]
    steps: dict[str, dict[str, Any]]
    minutes: dict[str, float]

    @property
    def weights(self) -> Path:
        """The sample weights."""
        return self.path / "sample_weights.parquet"

    @property
    def checkpoint(self) -> Path:
        """The challenger's folder."""
        return self.path / "checkpoint"

    @property
    def trained(self) -> Path:
        """The trained model, where the challenger is between it and the champion."""
        return self.path / "trained"

    @property
    def started(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.asked["started"])

    def is_unfinished(self, asked: Mapping[str, Any]) -> bool:
        """Whether it is the retraining that is asked for, and has not ended."""
        same = {name: value for name, value in self.asked.items() if name != "started"}
        return OUTCOME not in self.steps and same == asked

    def done(self, step: str, values: Mapping[str, Any]) -> None:
        """Keep that a step is done, and what it made.

        Raises:
            WriteError: the folder cannot be written.
        """
        self.steps[step] = {"at": _now(), **values}
        content = {"asked": self.asked, "steps": self.steps, "minutes": self.minutes}
        write_atomic(self.path / _FILE, json.dumps(content, indent=1).encode())

    def write_report(self, content: Mapping[str, Any], text: str) -> None:
        """Write the report, for programs and for people.

        Raises:
            WriteError: the folder cannot be written.
        """
        write_atomic(self.path / "report.json", json.dumps(content, indent=1).encode())
        write_atomic(self.path / "report.txt", text.encode())


@contextmanager
def retrain_lock(store: Store) -> Iterator[None]:
    """One retraining at a time in a store; the system frees the lock of one that is killed.

    Raises:
        RunError: another one is at work.
        WriteError: the store cannot be written.
    """
    with locked(store.models / _LOCK, f"retraining in {store}", found="another one at work"):
        yield


def open_retraining(
    store: Store, asked: Mapping[str, Any], decision: Mapping[str, Any]
) -> RetrainFolder:
    """The folder of the retraining that is asked for: one that was cut off, else a new one.

    Args:
        store: where it lies, under `models`.
        asked: all that determines what is done.
        decision: what a new one keeps as its first step.

    Raises:
        WriteError: the store cannot be written.
    """
    for folder in retrainings(store):
        if folder.is_unfinished(asked):
            remove_left_overs(folder.path)
            return folder
    started = _now()
    digest = hashlib.sha256(json.dumps([started, asked], sort_keys=True).encode()).hexdigest()
    stamp = started.translate(str.maketrans("", "", "-:"))[:15]
    path = store.models / f"{_PREFIX}{stamp}-{digest[:6]}"
    make_folder(path)
    folder = RetrainFolder(path, {"started": started, **asked}, {}, {})
    folder.done(DECISION, decision)
    return folder


def retrainings(store: Store) -> list[RetrainFolder]:
    """All retrainings in a store that can be read, the newest first."""
    retrainings = []
    for file in sorted(store.models.glob(f"{_PREFIX}*/{_FILE}"), reverse=True):
        try:
            content = json.loads(file.read_bytes())
            kept = (content[part] for part in ("asked", "steps", "minutes"))
            retrainings.append(RetrainFolder(file.parent, *kept))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # damaged: it is not gone on with
    return retrainings


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
