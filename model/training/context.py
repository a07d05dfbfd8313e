"""What every training has at hand, and how it gets from rows to a session that trains on them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from data.machine.processes import cores
from data.progress import Progress
from data.sources.shards import Shards
from data.store import Store
from model.datasets.loaders import training_loader, validation_loader, worker_count
from model.datasets.prepare import (
    Preparation,
    PreparedSplit,
    prepare_training,
    prepare_validation,
)
from model.datasets.samplers import BatchSettings, SamplerOf, TrainingBatches, every_row
from model.metadata.tensors import MetadataTensors, metadata_tensors
from model.metadata.text_vectors import TextVectors
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.optimization.trainer import Loaders
from model.rows.training_row import TrainingRow
from model.training.base_checkpoint import Base
from model.training.run_folder import TrainingRun
from model.training.session import Session, SessionRows

# Each holds a row group and a decoded image.
_MOST_THREADS = 8


@dataclass(frozen=True)
class PreparedSession:
    """A session, and what it trains on: of the rows only those that have images."""

    session: Session
    training: PreparedSplit
    validation: PreparedSplit
    loaders: Loaders

    @property
    def left_out(self) -> Counter[str]:
        """Rows without an image, by reason."""
        return self.training.left_out + self.validation.left_out


@dataclass(frozen=True)
class TrainingContext:
    """Sources, settings and processes of a training; `store` keeps features between trainings.

    `sampler_of` makes what says which rows come when.
    """

    store: Store
    shards: Shards
    config: TrainingConfig
    accelerator: Accelerator
    sampler_of: SamplerOf = every_row

    def on_main(self, call: Callable[[], Any]) -> Any:
        """Call a function in the main process alone; all processes get its result or error."""
        answer: list[Any] = [None, None]
        if self.accelerator.is_main_process:
            try:
                answer[0] = call()
            except Exception as error:  # noqa: BLE001  raised again below, in every process
                answer[1] = error
        broadcast_object_list(answer)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]

    def session(
        self,
        run: TrainingRun,
        model: FullModel,
        rows: SessionRows,
        progress: Progress,
        base: Base | None = None,
    ) -> PreparedSession:
        """Prepare rows, and a session that trains a model on them.

        Args:
            run: its folder exists, and gets features, metrics and the best epoch's checkpoint.
            model: with its first weights, on the accelerator's device.
            rows: to train and to validate on.
            progress: shows long work.
            base: the checkpoint of the first weights, if they are one's.

        Raises:
            RunError: rows without any image.
        """
        training, validation = self._prepared(run, model, rows, progress)
        loaders = self._loaders(training, validation)
        session = Session(
            run,
            self.config,
            self.accelerator,
            model,
            SessionRows(training.table.rows, validation.table.rows),
            loaders,
            base,
        )
        return PreparedSession(session, training, validation, loaders)

    def _prepared(
        self, run: TrainingRun, model: FullModel, rows: SessionRows, progress: Progress
    ) -> tuple[PreparedSplit, PreparedSplit]:
        preparation = Preparation(
            shards=self.shards,
            backbone=model.backbone,
            settings=self.config.dataset,
            seed=self.config.training.seed,
            views=self.config.training.views,
            threads=min(_MOST_THREADS, cores()),
            folder=run.path,
            cache=self.store.features,
            keeps_features=self.config.keeps_features,
        )
        rest = (preparation, self._metadata, self.on_main, progress)
        return prepare_training(rows.training, *rest), prepare_validation(rows.validation, *rest)

    def _loaders(self, training: PreparedSplit, validation: PreparedSplit) -> Loaders:
        config, accelerator = self.config, self.accelerator
        sizes = BatchSettings(
            size=config.training.batch_size,
            accumulation=config.training.accumulation_steps,
            kept_draws=config.dataset.draws if config.keeps_features else None,
            processes=accelerator.num_processes,
            process=accelerator.process_index,
        )
        scenes, seed = training.table.scenes, config.training.seed
        batches = TrainingBatches(self.sampler_of(training.table, seed), scenes, sizes, seed)
        workers = worker_count(config.dataset.workers, accelerator.num_processes)
        return Loaders(
            training_loader(
                training.dataset,
                batches,
                0 if config.keeps_features else workers,
                accelerator.device,
            ),
            batches,
            validation_loader(
                validation.dataset,
                max(1, config.training.batch_size // accelerator.num_processes),
            ),
        )

    def _metadata(self, rows: Sequence[TrainingRow]) -> MetadataTensors | None:
        if not self.config.dataset.metadata:
            return None
        vectors = TextVectors(self.store.text_vectors)
        return metadata_tensors([row.metadata for row in rows], vectors)
