"""A training as a folder of the store: `run.json` and the course of its epochs.

The run id is a hash of all that determines the weights, as far as a machine repeats itself.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch

from data.atomic_files import atomic_file, write_atomic
from data.errors import RunError
from data.store import Store
from model.training.epoch import EpochMetrics
from replay.rebuilding.image_keys import REPLAY_VERSION, packages
from replay.runs.provenance import provenance
from replay.runs.run_lock import lock_run

# Raised when the same settings and rows would give other weights by this code.
_VERSION = 2
_ID_DIGITS = 12


@dataclass(frozen=True)
class TrainingRun:
    """A training's folder, its id, and what `run.json` says of it."""

    run_id: str
    path: Path
    described: dict[str, Any]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """For this process alone, while the block lasts.

        Raises:
            RunError: another process does this very training, or the folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = lock_run(self.path)
        except OSError as error:
            raise RunError(
                str(self.path), found=error.strerror, expected="a writable store"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def write(self, epochs: Sequence[EpochMetrics], outcome: dict[str, Any] | None = None) -> None:
        """Write what was done so far, and how it ended.

        Raises:
            RunError: the folder cannot be written.
        """
        try:
            text = json.dumps({**self.described, "outcome": outcome}, indent=2) + "\n"
            write_atomic(self.path / "run.json", text.encode())
            with atomic_file(self.path / "epochs.parquet") as temporary:
                pl.DataFrame([asdict(one) for one in epochs]).write_parquet(temporary)
        except OSError as error:
            raise RunError(
                str(self.path), found=error.strerror, expected="a writable store"
            ) from None


def open_training_run(store: Store, decisive: dict[str, Any]) -> TrainingRun:
    """The run that these settings and sources determine; nothing is written yet."""
    whole = {
        "train_version": _VERSION,
        "replay_version": REPLAY_VERSION,
        **decisive,
        "packages": packages(),
    }
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True, default=list).encode()).hexdigest()
    run_id = f"train-{digest[:_ID_DIGITS]}"
    made_by = {**provenance(), "threads": torch.get_num_threads()}
    return TrainingRun(run_id, store.runs / run_id, {"run_id": run_id, **whole, "made_by": made_by})
