"""A training, from source rows to a checkpoint with its provenance."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from data.machine.processes import cores
from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.backbone.backbone import Backbone, load_backbone
from model.checkpoint.copy import copy_checkpoint
from model.checkpoint.unfinished import mark_finished, mark_unfinished
from model.datasets.loaders import training_loader, validation_loader, worker_count
from model.datasets.prepare import (
    Preparation,
    PreparedSplit,
    prepare_training,
    prepare_validation,
)
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.metadata.tensors import MetadataTensors, metadata_tensors
from model.metadata.text_vectors import TextVectors
from model.rows.source_rows import ListedRows, list_rows
from model.rows.split import Split, split_rows, split_table
from model.rows.training_row import TrainingRow
from model.training.config import TrainingConfig
from model.training.out_folder import check_out, finished_report
from model.training.report import TrainReport
from model.training.run_folder import TrainingRun, open_training_run
from model.training.session import Session, SessionRows
from model.training.trackers import start_trackers, tracking
from model.training.trainer import Loaders, make_accelerator

# Each holds a row group and a decoded image.
_MOST_THREADS = 8


def train(
    store: Store,
    shards: Shards,
    out: Path,
    config: TrainingConfig,
    *,
    replace_checkpoint: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
) -> TrainReport:
    """Train on the rows of shards and keep the best epoch's checkpoint in `out`.

    The same training is not done twice: where `out` holds its checkpoint, its report is read; one
    that was interrupted goes on. Several processes (`accelerate launch`) train together.

    Args:
        store: gets the run's folder; keeps features of a frozen backbone.
        shards: the source rows.
        out: the checkpoint's folder, made if it does not exist.
        config: all settings.
        replace_checkpoint: of another training, where `out` holds one.
        progress: shows long work.
        note: takes a line for a person.

    Raises:
        SourceError: no sources, or not of the public data set's form.
        RunError: rows that cannot be split, a folder that holds another checkpoint, a backbone that
            cannot be had, settings that do not go together, a training that was stopped.
        WriteError: a folder cannot be written.
    """
    accelerator = make_accelerator(config, **tracking(config.training.tracker, store.runs))
    if not accelerator.is_main_process:
        progress, note = silent, _quiet
    listed = list_rows(shards)
    split = split_rows(listed.rows, config.split)
    backbone = load_backbone(
        replace(config.backbone, precision=config.model.precision), accelerator.device
    )
    config = config.resolved(backbone.width)
    determining = _determining(config, shards, listed.rows, split, backbone)
    run = open_training_run(store, determining | {"processes": accelerator.num_processes})
    training = _Training(store, shards, out, config, run, backbone, accelerator)
    # one process holds the lock for all
    with run.locked() if accelerator.is_main_process else nullcontext():
        if (report := training.on_main(lambda: finished_report(out, run))) is not None:
            note(f"{out} holds this very training already")
            return report  # type: ignore[no-any-return]
        training.on_main(lambda: training.begin(listed, split, replace_checkpoint))
        return training.train(listed, split, progress, note)


def _quiet(_line: str) -> None:
    """Say nothing: the main process says it."""


def _determining(
    config: TrainingConfig,
    shards: Shards,
    rows: Sequence[TrainingRow],
    split: Split,
    backbone: Backbone,
) -> dict[str, Any]:
    """All that determines the weights, as `run.json` has it."""
    return {
        "config": asdict(config),
        "sources": shards.fingerprints([(row.parquet, row.row) for row in rows]),
        "training_rows": len(split.training),
        "validation_rows": len(split.validation),
        "holdout_rows": len(split.holdout),
        "streets": split.streets,
        "backbone_fingerprint": backbone.fingerprint,
        "device": next(backbone.parameters()).device.type,
    }


class _Training:
    """What one training has at hand."""

    def __init__(
        self,
        store: Store,
        shards: Shards,
        out: Path,
        config: TrainingConfig,
        run: TrainingRun,
        backbone: Backbone,
        accelerator: Accelerator,
    ) -> None:
        self._store, self._out, self._config, self._run = store, out, config, run
        self._backbone, self._accelerator = backbone, accelerator
        self._preparation = Preparation(
            shards=shards,
            backbone=backbone,
            settings=config.dataset,
            seed=config.training.seed,
            views=config.training.views,
            threads=min(_MOST_THREADS, cores()),
            folder=run.path,
            cache=store.features,
            keeps_features=config.keeps_features,
        )

    def on_main(self, call: Callable[[], Any]) -> Any:
        """Call a function in the main process alone; all processes get its result or error."""
        answer: list[Any] = [None, None]
        if self._accelerator.is_main_process:
            try:
                answer[0] = call()
            except Exception as error:  # noqa: BLE001  raised again below, in every process
                answer[1] = error
        broadcast_object_list(answer)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]

    def begin(self, listed: ListedRows, split: Split, replace_checkpoint: bool) -> None:
        """Check the checkpoint's folder, and write what is known before the first epoch."""
        check_out(self._out, self._run, self._store, replace_checkpoint=replace_checkpoint)
        self._run.begin(self._config, split_table(listed.rows, split))
        mark_unfinished(self._out, self._run.run_id, f"its run is in {self._run.path.name}")

    def train(
        self,
        listed: ListedRows,
        split: Split,
        progress: Progress,
        note: Callable[[str], None],
    ) -> TrainReport:
        """Prepare the rows, train, and put the best epoch's checkpoint in place."""
        training, validation = (
            prepare(
                [listed.rows[index] for index in indices],
                self._preparation,
                self._metadata,
                self.on_main,
                progress,
            )
            for prepare, indices in (
                (prepare_training, split.training),
                (prepare_validation, split.validation),
            )
        )
        rows = SessionRows(training.table.rows, validation.table.rows)
        session = Session(
            self._run,
            self._config,
            self._accelerator,
            self._backbone,
            rows,
            self._loaders(training, validation),
        )
        start_trackers(self._accelerator, self._run)
        session.train(progress, note)
        report = TrainReport(
            run_id=self._run.run_id,
            out=str(self._out),
            backbone=self._config.backbone.name,
            image_only=not self._config.dataset.metadata,
            training=len(training.table),
            validation=len(validation.table),
            holdout=len(split.holdout),
            streets=split.streets,
            left_out={**listed.left_out, **(training.left_out + validation.left_out)},
            epochs=session.epochs,
            best=session.best,
        )
        self.on_main(lambda: self._finish(report))
        self._accelerator.end_training()
        return report

    def _finish(self, report: TrainReport) -> None:
        copy_checkpoint(self._run.best, self._out)
        mark_finished(self._out)
        # whatever a kill leaves undone here, the same training does when it is started again
        self._run.finish(asdict(report))

    def _loaders(self, training: PreparedSplit, validation: PreparedSplit) -> Loaders:
        config, accelerator = self._config, self._accelerator
        sizes = BatchSettings(
            size=config.training.batch_size,
            accumulation=config.training.accumulation_steps,
            kept_draws=config.dataset.draws if config.keeps_features else None,
            processes=accelerator.num_processes,
            process=accelerator.process_index,
        )
        scenes, seed = training.table.scenes, config.training.seed
        batches = TrainingBatches(SceneSampler(scenes, seed), scenes, sizes, seed)
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
        if not self._config.dataset.metadata:
            return None
        vectors = TextVectors(self._store.text_vectors)
        return metadata_tensors([row.metadata for row in rows], vectors)
