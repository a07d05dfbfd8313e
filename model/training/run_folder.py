"""The folder of a training in the store.

`run.json` has settings, provenance and outcome, `settings.toml` the settings alone,
`split.parquet` which row is in which part, `metrics.jsonl` a line an epoch, `curves.png` its
picture. While the training runs, `state.pt` is what it goes on from and `best/` the best epoch's
checkpoint; a fine-tuning has these of each fold in `fold-<number>/`. The run id is a hash of all
that determines the weights, as far as a machine repeats itself.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import torch

from data.atomic_files import atomic_file, remove_left_overs, sync, write_atomic
from data.errors import RunError
from data.settings_file import write_settings
from data.store import Store
from model.checkpoint.card import read_card
from model.training.curves import write_curves
from replay.rebuilding.image_keys import REPLAY_VERSION, packages
from replay.runs.provenance import provenance
from replay.runs.run_lock import lock_run

# Raised when the same settings and rows would give other weights by this code.
_VERSION = 4
_ID_DIGITS = 12

SETTINGS = "settings.toml"
"""The settings of a training, in its folder."""

SPLIT = "split.parquet"
"""Which row is in which part of a training, in its folder."""

SAMPLE_WEIGHTS = "sample_weights"
"""Key of `run.json` and of a card: the SHA-256 of the file of weights that rows were drawn by."""

INITIAL_CHECKPOINT = "initial_checkpoint"
"""Key of `run.json` and of a card: hash and run of the checkpoint that a training began with."""

# Begins the name of a fold's folder.
_FOLD = "fold-"
# Settings that change no weight.
_UNDECISIVE = (("dataset", "workers"), ("training", "tracker"))


@dataclass(frozen=True)
class TrainingRun:
    """A training's id and folder, and its settings and provenance as `run.json` has them."""

    run_id: str
    path: Path
    settings: dict[str, Any]

    @property
    def state(self) -> Path:
        """What an interrupted training goes on from."""
        return self.path / "state.pt"

    @property
    def best(self) -> Path:
        """The checkpoint of the best epoch so far."""
        return self.path / "best"

    @property
    def next_best(self) -> Path:
        """The checkpoint of an epoch that is the best, until the state says so too."""
        return self.path / "next-best"

    def promote_next_best(self, epoch: int | None) -> None:
        """Put the next best checkpoint in place of the best, if it is that of the best epoch.

        Another is of an epoch that a kill cut off before its state was kept: it is removed.

        Args:
            epoch: the best one by the kept state; None where there is no state.
        """
        if not self.next_best.exists():
            return
        with suppress(RunError):  # one that was not saved whole
            if read_card(self.next_best).training["epoch"]["epoch"] == epoch:
                shutil.rmtree(self.best, ignore_errors=True)
                self.next_best.replace(self.best)
                sync(self.path)
                return
        shutil.rmtree(self.next_best, ignore_errors=True)

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

    def fold(self, number: int) -> "TrainingRun":
        """The training of a fine-tuning's fold, in a folder of its own."""
        name = f"{_FOLD}{number}"
        return TrainingRun(f"{self.run_id}-{name}", self.path / name, self.settings)

    def begin(self, tables: Mapping[str, Any], split: pl.DataFrame) -> None:
        """Write what is known before the first epoch.

        Args:
            tables: the settings of each stage.
            split: which row is in which part.

        Raises:
            WriteError: the folder cannot be written.
        """
        self._write_run(None)
        write_settings(self.path / SETTINGS, tables)
        with atomic_file(self.path / SPLIT) as temporary:
            split.write_parquet(temporary)

    def write_epochs(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Write the metrics of all epochs so far, a line each, and their curves.

        Raises:
            WriteError: the folder cannot be written.
        """
        text = "".join(json.dumps(dict(line)) + "\n" for line in lines)
        write_atomic(self.path / "metrics.jsonl", text.encode())
        with atomic_file(self.path / "curves.png") as temporary:
            write_curves(temporary, lines)

    def finish(self, outcome: Mapping[str, Any]) -> None:
        """Write the outcome of a training whose checkpoint is in its place.

        Raises:
            WriteError: the folder cannot be written.
        """
        self._write_run(outcome)
        self.clean_up()

    def clean_up(self) -> None:
        """Remove what only an unfinished training needs, and what killed ones left."""
        self.clean_state()
        shutil.rmtree(self.best, ignore_errors=True)
        shutil.rmtree(self.next_best, ignore_errors=True)
        for folder in self.path.glob(f"{_FOLD}*"):
            replace(self, path=folder).clean_up()

    def clean_state(self) -> None:
        """Remove what only epochs to come need; the best one's checkpoint stays."""
        self.state.unlink(missing_ok=True)
        for features in self.path.glob("*.features"):
            features.unlink(missing_ok=True)
        remove_left_overs(self.path)

    def outcome(self) -> dict[str, Any] | None:
        """The outcome of a training that came to its end."""
        try:
            outcome = json.loads((self.path / "run.json").read_text("utf-8"))["outcome"]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return outcome if isinstance(outcome, dict) else None

    def _write_run(self, outcome: Mapping[str, Any] | None) -> None:
        written = {**self.settings, "outcome": None if outcome is None else dict(outcome)}
        text = json.dumps(written, indent=2) + "\n"
        write_atomic(self.path / "run.json", text.encode())


def open_training_run(
    store: Store, determining: dict[str, Any], kind: str = "train"
) -> TrainingRun:
    """The run with these settings and sources; nothing is written yet.

    Args:
        store: gets the run's folder.
        determining: all that determines the weights, beside the versions of code and packages.
        kind: of the run, with which its id begins.
    """
    versioned = {
        "train_version": _VERSION,
        "replay_version": REPLAY_VERSION,
        **determining,
        "packages": packages(),
    }
    decisive = json.loads(json.dumps(versioned, default=list))
    for stage, name in _UNDECISIVE:
        decisive["config"][stage].pop(name)
    text = json.dumps(decisive, sort_keys=True)
    run_id = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]}"
    made_by = {**provenance(), "threads": torch.get_num_threads()}
    settings = {"run_id": run_id, **versioned, "made_by": made_by}
    return TrainingRun(run_id, store.runs / run_id, settings)


def setting_differences(run: TrainingRun, other_id: str, store: Store) -> list[str]:
    """Which settings of another training in the store differ, such as `training.lr 0.1, not 1`."""
    try:
        text = (store.runs / other_id / "run.json").read_text("utf-8")
        theirs = flat_settings(json.loads(text))
    except (OSError, ValueError, AttributeError):
        return []
    ours = flat_settings(json.loads(json.dumps(run.settings, default=list)))
    ignored = ("made_by", "run_id", "outcome")
    return [
        f"{name} {theirs.get(name)}, not {ours.get(name)}"
        for name in sorted(ours.keys() | theirs.keys())
        if not name.startswith(ignored) and ours.get(name) != theirs.get(name)
    ]


def flat_settings(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one mapping, with names such as `training.epochs`."""
    flat: dict[str, Any] = {}
    for name, part in value.items():
        if isinstance(part, Mapping):
            flat |= flat_settings(part, f"{prefix}{name}.")
        else:
            flat[prefix + name] = part
    return flat
