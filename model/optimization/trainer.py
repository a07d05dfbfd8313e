"""The training loop: steps by accelerate, validation after each epoch, and a state to go on from.

It needs nothing of logs and tables: loaders hand it batches.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch.utils.data import DataLoader

from data.errors import RunError
from data.progress import Report, ignore_report
from model.datasets.batch import Batch
from model.datasets.samplers import TrainingBatches
from model.optimization.batch_errors import BatchError, batches_of
from model.optimization.batch_loss import BatchLoss, PartLoss
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.loss_means import LossMeans
from model.optimization.metrics import EpochMetrics, evaluate
from model.optimization.optimizer import WeightAverage, make_optimizer, make_schedule
from model.optimization.random_state import random_state, restore_random_state, seeded
from replay.candidates.float32 import exact_float32
from replay.candidates.out_of_memory import is_out_of_memory


@dataclass(frozen=True)
class Loaders:
    """Batches of the two splits.

    `training` loads what `batches` names, this process's share of each; `validation` loads all of
    its split, which accelerate shares out.
    """

    training: "DataLoader[Batch]"
    batches: TrainingBatches
    validation: "DataLoader[Batch]"


class StoppedError(RunError):
    """A training that was asked to stop, with its state kept."""


class Trainer:
    """Trains a model, and its backbone as far as that is trained.

    All but the first weights is drawn from `TrainSettings.seed`: on one processor with as many
    threads, the same seed gives the same weights, bit by bit, also where a training was stopped and
    went on. A GPU draws other numbers than a processor for dropout; the gradient of a trained
    backbone's attention may differ in its last bits there from run to run.
    """

    def __init__(
        self,
        model: FullModel,
        loaders: Loaders,
        config: TrainingConfig,
        accelerator: Accelerator,
        at_once: int | None = None,
    ) -> None:
        """Take a model on the accelerator's device, and the loaders of its batches.

        Args:
            model: on the accelerator's device.
            loaders: of its batches.
            config: all settings.
            accelerator: of the processes.
            at_once: challenges in one forward and backward of each process; None: a whole batch.
        """
        self._at_once = at_once
        self._config, self._accelerator = config, accelerator
        self._plain, self._loaders = model, loaders
        self._validation = accelerator.prepare(loaders.validation)
        per_epoch = -(-len(loaders.training) // config.training.accumulation_steps)
        self._all_steps = per_epoch * config.training.epochs
        # several processes wait for a gradient of all that is trained and in the output
        model.street.weather_head.requires_grad_(config.loss.weather > 0)
        model.street.scorer.requires_grad_(config.loss.scorer > 0)
        model.street.view_head.requires_grad_(config.loss.views + config.loss.consistency > 0)
        optimizer = make_optimizer(model, config.optimizer)
        self._schedule = make_schedule(optimizer, config.optimizer, self._all_steps)
        self._average = (
            WeightAverage(model, config.optimizer.ema_decay) if config.optimizer.ema_decay else None
        )
        self._model, self._optimizer = accelerator.prepare(model, optimizer)
        self._loss = BatchLoss(config)
        self._epoch, self._batches_done, self.steps = 1, 0, 0
        self._means = LossMeans()
        # of each process, as it stood when the caller was last asked or told something
        self._of_processes: list[dict[str, Any]] | None = None
        self._rows, self._seconds = 0, 0.0

    @property
    def kept(self) -> FullModel:
        """The model that is evaluated and kept: its average where there is one."""
        return self._plain if self._average is None else self._average.model

    def epochs(
        self,
        on_progress: Report = ignore_report,
        stop: Callable[[], bool] = lambda: False,
        save: Callable[[], object] = lambda: None,
    ) -> Iterator[EpochMetrics]:
        """Train; each epoch's metrics are yielded when it is done, with the model as it is then.

        Args:
            on_progress: takes the number of rows seen by all processes, and the losses.
            stop: asked after each step of the optimiser, by all processes alike.
            save: called before a stop, so that `state` can be kept.

        Raises:
            RunError: the loss is no longer finite, a batch cannot be had, or memory runs out.
            StoppedError: `stop` said so.
        """
        with seeded(self._config.training.seed + self._accelerator.process_index):
            if self._of_processes is not None:
                own = self._of_processes[self._accelerator.process_index]
                restore_random_state(own["random"])
            while self._epoch <= self._config.training.epochs:
                for _ in self._steps_of_epoch(on_progress):
                    if stop():
                        self._keep_states_of_processes()
                        save()
                        raise StoppedError(
                            "training",
                            found=f"asked to stop after step {self.steps} of {self._all_steps}",
                            remedy="start the same again: it goes on from there",
                        )
                metrics = self._evaluate()
                self._epoch, self._batches_done = self._epoch + 1, 0
                self._means = LossMeans()
                self._keep_states_of_processes()
                # whoever reads the metrics may draw random numbers: the loop's own are not moved
                with seeded(0):
                    yield metrics

    def state(self) -> dict[str, Any]:
        """All that `restore` goes on from: after an epoch, or while `save` is called."""
        return {
            "at_once": self._at_once,
            "epoch": self._epoch,
            "batches_done": self._batches_done,
            "steps": self.steps,
            "model": self._plain.trained_state(),
            "average": None if self._average is None else self._average.model.trained_state(),
            "optimizer": self._optimizer.state_dict(),
            "processes": self._of_processes,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of a training of the same settings and data, before `epochs`."""
        # parts of another size would draw other numbers, so memory counts only if there is less
        sizes = [size for size in (self._at_once, state["at_once"]) if size is not None]
        self._at_once = min(sizes, default=None)
        self._epoch, self._batches_done = state["epoch"], state["batches_done"]
        self.steps, self._of_processes = state["steps"], state["processes"]
        own = state["processes"][self._accelerator.process_index]
        self._means = LossMeans.restored(own["means"], self._accelerator.device)
        self._plain.load_trained_state(state["model"])
        if self._average is not None:
            self._average.model.load_trained_state(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.step_update(self.steps)

    @property
    def epoch_share(self) -> float:
        """How much of the epoch is done, 0..1."""
        return self._batches_done / len(self._loaders.batches)

    @property
    def rate(self) -> float:
        """Rows a second in this process's last epoch, or its part since a resume."""
        return self._rows / self._seconds if self._seconds else 0.0

    def _keep_states_of_processes(self) -> None:
        own = {"random": random_state(), "means": self._means.state()}
        self._of_processes = gather_object([own])

    def _steps_of_epoch(self, on_progress: Report) -> Iterator[None]:
        """Train on the rest of an epoch; yields after each step of the optimiser."""
        self._loaders.training.set_epoch(self._epoch)  # type: ignore[attr-defined]
        self._loaders.batches.skipped = self._batches_done
        self._model.train()
        self._rows, started = 0, time.perf_counter()
        for batch in batches_of(self._loaders.training):
            rows = self._rows_of_all(batch)
            stepped = self._batch(batch, len(batch) * self._accelerator.num_processes / rows)
            self._batches_done += 1
            self._rows, self._seconds = self._rows + rows, time.perf_counter() - started
            if not stepped:
                on_progress(rows)
                continue
            on_progress(rows, f"epoch {self._epoch}, loss {self._means.last:.3f}")
            yield

    def _rows_of_all(self, batch: Batch) -> int:
        """The number of rows in a batch of all processes; each has its share, in whole rows."""
        accelerator = self._accelerator
        if accelerator.num_processes == 1:
            return len(batch)
        own = torch.tensor(len(batch), device=accelerator.device)
        return int(accelerator.reduce(own, "sum"))

    def _batch(self, batch: Batch, weight: float) -> bool:
        """Forward and backward of a batch; True where the optimiser made a step.

        Gradients are averaged over processes: `weight`, this one's share of the rows times the
        number of processes, makes it the mean over rows.
        """
        accelerator = self._accelerator
        with accelerator.accumulate(self._model):
            try:
                self._backward(batch, weight)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise self._too_large(batch) from error
                raise
            if accelerator.sync_gradients:
                self._check_finite(
                    accelerator.clip_grad_norm_(
                        self._model.parameters(), self._config.optimizer.clip_grad or math.inf
                    )
                )
            self._optimizer.step()
            self._optimizer.zero_grad()
        if not accelerator.sync_gradients:
            return False
        self.steps += 1
        self._schedule.step_update(self.steps)
        if self._average is not None:
            self._average.update(self.steps)
        return True

    def _backward(self, batch: Batch, weight: float) -> None:
        """Forward and backward; processes exchange gradients once, after the last part."""
        done: list[PartLoss] = []
        at_once = self._at_once or len(batch)
        parts = -(-len(batch) // at_once)
        # what goes backwards, and is computed again there, lies outside of the model's own context
        with exact_float32():
            losses = self._loss.parts(self._model, batch, at_once, weight)
            for number in range(1, parts + 1):
                last = number == parts
                with nullcontext() if last else self._accelerator.no_sync(self._model):
                    part = next(losses)
                    self._accelerator.backward(part.total)
                done.append(part)
        self._means.add(done)

    def _too_large(self, batch: Batch) -> BatchError:
        return BatchError(
            f"training, epoch {self._epoch}, after step {self.steps}",
            found=f"out of memory with {min(len(batch), self._at_once or len(batch))} challenges",
            expected="room for them",
            remedy="choose a smaller --batch-size, with more --accumulation-steps",
        )

    def _check_finite(self, norm: torch.Tensor) -> None:
        """Refuse to go on from a gradient that is not finite; all processes have the same."""
        if not torch.isfinite(norm):
            raise RunError(
                f"training, epoch {self._epoch}, after step {self.steps}",
                found=f"a loss of {self._means.last} and a gradient of norm {float(norm)}",
                expected="finite ones",
                remedy="choose a lower --lr",
            )

    def _evaluate(self) -> EpochMetrics:
        losses = self._means.means(self._accelerator)
        if self._accelerator.num_processes > 1:
            # batch statistics are each process's own; those of the main one are kept
            for buffer in self.kept.buffers():
                torch.distributed.broadcast(buffer, 0)
        with seeded(0):
            validation = evaluate(
                self.kept, self._validation, self._accelerator, self._config.loss.gamma
            )
        if not math.isfinite(validation.loss):
            raise RunError(
                f"validation, epoch {self._epoch}, after step {self.steps}",
                found=f"a loss of {validation.loss}",
                expected="a finite one",
                remedy="choose a lower --lr",
            )
        return EpochMetrics(
            epoch=self._epoch,
            steps=self.steps,
            loss=losses.pop("total"),
            validation_loss=validation.loss,
            mcc=validation.mcc,
            n=validation.n,
            losses=losses,
        )
