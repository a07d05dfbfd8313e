"""The folder of a training in the store: `run.json` and `epochs.parquet`.

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
from model.training.trainer import EpochMetrics
from replay.rebuilding.image_keys import REPLAY_VERSION, packages
from replay.runs.provenance import provenance
from replay.runs.run_lock import lock_run

# Raised when the same settings and rows would give other weights by this code.
_VERSION = 2
_ID_DIGITS = 12


@dataclass(frozen=True)
class TrainingRun:
    """A training's id and folder, and its settings and provenance as `run.json` has them."""

    run_id: str
    path: Path
    settings: dict[str, Any]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for this process while the block lasts.

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
        """Write the metrics of the epochs so far and, at the end, the outcome.

        Raises:
            RunError: the folder cannot be written.
        """
        try:
            text = json.dumps({**self.settings, "outcome": outcome}, indent=2) + "\n"
            write_atomic(self.path / "run.json", text.encode())
            with atomic_file(self.path / "epochs.parquet") as temporary:
                pl.DataFrame([asdict(epoch) for epoch in epochs]).write_parquet(temporary)
        except OSError as error:
            raise RunError(
                str(self.path), found=error.strerror, expected="a writable store"
            ) from None


def open_training_run(store: Store, determining: dict[str, Any]) -> TrainingRun:
    """The run with these settings and sources; nothing is written yet.

    Args:
        store: gets the run's folder.
        determining: all that determines the weights, beside the versions of code and packages.
    """
    versioned = {
        "train_version": _VERSION,
        "replay_version": REPLAY_VERSION,
        **determining,
        "packages": packages(),
    }
    text = json.dumps(versioned, sort_keys=True, default=list)
    run_id = f"train-{hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]}"
    made_by = {**provenance(), "threads": torch.get_num_threads()}
    settings = {"run_id": run_id, **versioned, "made_by": made_by}
    return TrainingRun(run_id, store.runs / run_id, settings)
