"""A training in progress: epochs, the best of them kept, and a state to go on from."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from accelerate import Accelerator

from data.progress import Progress, Report
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.card import BACKBONE, MODEL, SCORER
from model.checkpoint.checkpoint import save_checkpoint
from model.checkpoint.training_state import load_state, save_state
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.metrics import EpochMetrics
from model.optimization.step_memory import step_size
from model.optimization.threads import threads_beside
from model.optimization.trainer import Loaders, Trainer
from model.rows.source_rows import row_columns
from model.rows.training_row import TrainingRow
from model.training.base_checkpoint import Base
from model.training.run_folder import INITIAL_CHECKPOINT, SAMPLE_WEIGHTS, TrainingRun
from model.training.stop_signal import stop_asked
from model.training.trackers import log_metrics
from replay.candidates.float32 import processor_name


@dataclass(frozen=True)
class SessionRows:
    """The rows that a training sees: it chooses its best epoch by those of the validation."""

    training: Sequence[TrainingRow]
    validation: Sequence[TrainingRow]


class Session:
    """Runs a trainer's epochs until the last, or until `patience` of them gave nothing better."""

    def __init__(
        self,
        run: TrainingRun,
        config: TrainingConfig,
        accelerator: Accelerator,
        model: FullModel,
        rows: SessionRows,
        loaders: Loaders,
        base: Base | None = None,
    ) -> None:
        """Take the run's folder, all settings, a model with its first weights, and its rows.

        `base` is the checkpoint of the first weights, if they are one's.

        Raises:
            RunError: memory does not hold a step with one challenge.
        """
        self._run, self._config, self._accelerator = run, config, accelerator
        self._rows, self._workers = rows, loaders.training.num_workers
        self._base = base
        self._size = step_size(model, config, accelerator)
        self._trainer = Trainer(model, loaders, config, accelerator, self._size.at_once)
        self.epochs: list[EpochMetrics] = []
        self._lines: list[dict[str, Any]] = []

    @property
    def best(self) -> EpochMetrics:
        """The epoch whose model is kept."""
        return max(self.epochs, key=lambda epoch: epoch.rank)

    def train(self, progress: Progress, note: Callable[[str], None]) -> None:
        """Train, from the kept state if there is one, and keep the best epoch's checkpoint.

        Raises:
            RunError: as `Trainer.epochs`, or a state that cannot be read.
            WriteError: the run's folder cannot be written; the last whole state stays.
        """
        if self._size.reason:
            note(self._size.reason)
        state = load_state(self._run.state, self._run.run_id)
        if state is not None:
            self._restore(state)
            note(f"going on after epoch {len(self.epochs)}, at step {self._trainer.steps}")
        self._promote()
        rows = len(self._rows.training)
        with (
            stop_asked(self._accelerator) as stop,
            threads_beside(self._workers, self._accelerator.device),
            progress("rows", self._config.training.epochs * rows) as on_progress,
        ):
            on_progress(rows * len(self.epochs) + round(rows * self._trainer.epoch_share))
            epochs = self._trainer.epochs(self._with_mcc(on_progress), stop, self._save_state)
            while not self._over:
                metrics = next(epochs)
                self._keep(metrics)
                log_metrics(self._accelerator, _flat_metrics(metrics), metrics.steps, note)
                note(self._line(metrics))

    def _with_mcc(self, on_progress: Report) -> Report:
        """Says the last epoch's MCC beside what the trainer says."""

        def report(done: int = 1, status: str = "") -> None:
            mcc = f", MCC {self.epochs[-1].mcc:.3f}" if status and self.epochs else ""
            on_progress(done, status + mcc)

        return report

    @property
    def _over(self) -> bool:
        """All epochs are done, or too many gave nothing better."""
        training = self._config.training
        if not self.epochs:
            return False
        since_best = len(self.epochs) - self.best.epoch
        return len(self.epochs) >= training.epochs or since_best >= training.patience

    def _keep(self, metrics: EpochMetrics) -> None:
        """Keep an epoch: its checkpoint if it is the best, then the state to go on from."""
        self.epochs.append(metrics)
        self._lines.append(asdict(metrics) | {"images_per_second": self._trainer.rate})
        if self._accelerator.is_main_process:
            if self.best is metrics:
                self._save_checkpoint(metrics)
            self._run.write_epochs(self._lines)
        self._save_state()
        self._promote()

    def _promote(self) -> None:
        """Put the best epoch's checkpoint in its place, now that the state says which it is."""
        if self._accelerator.is_main_process:
            self._run.promote_next_best(self.best.epoch if self.epochs else None)

    def _save_state(self) -> None:
        # every process takes part in gathering what each has drawn
        state = {"trainer": self._trainer.state(), "epochs": [asdict(e) for e in self.epochs]}
        if self._accelerator.is_main_process:
            save_state(self._run.state, self._run.run_id, {**state, "lines": self._lines})
        self._accelerator.wait_for_everyone()

    def _restore(self, state: dict[str, Any]) -> None:
        self._trainer.restore(state["trainer"])
        self.epochs = [EpochMetrics(**epoch) for epoch in state["epochs"]]
        self._lines = state["lines"]

    def _line(self, metrics: EpochMetrics) -> str:
        rate = self._lines[-1]["images_per_second"]
        mark = ", the best so far" if self.best is metrics else ""
        return (
            f"epoch {metrics.epoch} of {self._config.training.epochs}: loss {metrics.loss:.3f}, "
            f"validation loss {metrics.validation_loss:.3f}, MCC {metrics.mcc:.3f}{mark}; "
            f"{rate:.0f} images a second"
        )

    def _save_checkpoint(self, metrics: EpochMetrics) -> None:
        """Save the model as it is now, and all rows: those of the validation chose it."""
        kept = self._trainer.kept
        training = {
            "run_id": self._run.run_id,
            "epoch": asdict(metrics),
            "training_rows": len(self._rows.training),
            "validation_rows": len(self._rows.validation),
            "metadata": self._config.dataset.metadata,
            "trained": self._trained_parts(),
            "arithmetic": self._config.dataset.arithmetic,
            "processor": processor_name(self._accelerator.device),
            SAMPLE_WEIGHTS: self._run.settings.get(SAMPLE_WEIGHTS),
            INITIAL_CHECKPOINT: self._run.settings.get(INITIAL_CHECKPOINT),
        }
        card = card_of(kept.street.settings, kept.backbone, training)
        save_checkpoint(
            self._run.next_best,
            kept.street,
            card,
            kept.backbone.trained_tensors(),
            self._seen_rows(),
        )

    def _seen_rows(self) -> pl.DataFrame:
        """All rows behind the weights: those of the checkpoint that they began with too."""
        rows = row_columns([*self._rows.training, *self._rows.validation])
        if self._base is None:
            return rows
        both = pl.concat([self._base.rows, rows])
        return both.unique(("parquet", "row"), maintain_order=True)

    def _trained_parts(self) -> list[str]:
        """Which parts a loss has reached, in the training of the first weights too."""
        parts = {
            MODEL: True,
            SCORER: self._config.loss.scorer > 0,
            BACKBONE: not self._config.backbone.frozen,
        }
        before = () if self._base is None else self._base.checkpoint.card.trained
        return [part for part, trained in parts.items() if trained or part in before]


def _flat_metrics(metrics: EpochMetrics) -> dict[str, float]:
    """An epoch's numbers by the names that trackers group by."""
    return {
        "train/loss": metrics.loss,
        **{f"train/loss_{name}": value for name, value in metrics.losses.items()},
        "validation/loss": metrics.validation_loss,
        "validation/mcc": metrics.mcc,
        "epoch": metrics.epoch,
    }
