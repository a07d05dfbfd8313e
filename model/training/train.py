"""A training, from source rows to a checkpoint with its provenance."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.backbone.backbone import Backbone, load_backbone
from model.checkpoint.copy import copy_checkpoint
from model.datasets.samplers import SamplerOf, WeightedSceneSampler, every_row
from model.network.street_model import StreetModel
from model.optimization.accelerator import make_accelerator
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.rows.sample_weights import SampleWeights, effective_size, read_sample_weights
from model.rows.source_rows import ListedRows, list_rows
from model.rows.split import Split, split_table
from model.rows.training_row import TrainingRow
from model.training.base_checkpoint import (
    Base,
    base_backbone,
    base_street_model,
    check_same_backbone,
    load_base,
    training_split,
)
from model.training.context import TrainingContext
from model.training.out_folder import (
    begin_training,
    check_still_marked,
    finish_training,
    finished_outcome,
)
from model.training.processes import quiet, together
from model.training.report import TrainReport
from model.training.run_folder import (
    INITIAL_CHECKPOINT,
    SAMPLE_WEIGHTS,
    TrainingRun,
    open_training_run,
)
from model.training.session import SessionRows
from model.training.trackers import start_trackers, tracking


def train(
    store: Store,
    shards: Shards,
    out: Path,
    config: TrainingConfig,
    *,
    sample_weights: Path | None = None,
    initial_checkpoint: Path | None = None,
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
        sample_weights: a file of weights by which rows are drawn with replacement; None: each row
            comes once an epoch.
        initial_checkpoint: the folder of a checkpoint whose weights the training begins with; its
            rows count as trained on, and stay in the parts of its own training's split.
        replace_checkpoint: of another training, where `out` holds one.
        progress: shows long work.
        note: takes a line for a person.

    Raises:
        SourceError: no sources, or not of the public data set's form.
        RunError: rows that cannot be split, a folder that holds another checkpoint, a backbone that
            cannot be had, settings that do not go together, weights of other rows, an initial
            checkpoint that is not whole or of other settings, a training that was stopped.
        WriteError: a folder cannot be written.
    """
    accelerator = make_accelerator(config, **tracking(config.training.tracker, store.runs))
    if not accelerator.is_main_process:
        progress, note = silent, quiet
    asked = _Asked(
        store, shards, out, config, sample_weights, initial_checkpoint, replace_checkpoint
    )
    with together(accelerator):
        return _train_or_read(asked, accelerator, progress, note)


@dataclass(frozen=True)
class _Asked:
    """What `train` was asked for."""

    store: Store
    shards: Shards
    out: Path
    config: TrainingConfig
    sample_weights: Path | None
    initial_checkpoint: Path | None
    replace_checkpoint: bool


def _train_or_read(
    asked: _Asked, accelerator: Accelerator, progress: Progress, note: Callable[[str], None]
) -> TrainReport:
    """Train in all processes, or read the report of what is done already."""
    store, shards, out, config = asked.store, asked.shards, asked.out, asked.config
    weights = None if asked.sample_weights is None else read_sample_weights(asked.sample_weights)
    base = None if asked.initial_checkpoint is None else load_base(asked.initial_checkpoint)
    listed = list_rows(shards)
    if weights is not None:
        weights.check_rows(listed.rows)
    split = training_split(listed.rows, config.split, store, base)
    backbone = _backbone(config, base, accelerator)
    config = config.resolved(backbone.width)
    determining = _determining(config, shards, listed.rows, split, backbone)
    if base is not None:
        determining[INITIAL_CHECKPOINT] = base.named
    sampler_of: SamplerOf = every_row
    if weights is not None:
        determining[SAMPLE_WEIGHTS] = weights.sha256
        sampler_of = _by_weights(weights)
        effective = effective_size(weights.of_rows([listed.rows[k] for k in split.training]))
        note(
            f"rows drawn by {weights.file}: an effective sample size of {effective:.0f} of "
            f"{len(split.training)} rows to train on"
        )
    run = open_training_run(store, determining | {"processes": accelerator.num_processes})
    context = TrainingContext(store, shards, config, accelerator, sampler_of)

    def begin() -> TrainReport | None:
        if (report := finished_outcome(out, run, TrainReport.read)) is None:
            table = split_table(listed.rows, split)
            begin_training(
                out,
                run,
                store,
                config.tables,
                table,
                replace_checkpoint=asked.replace_checkpoint,
            )
        return report

    # one process holds the lock for all
    with run.locked() if accelerator.is_main_process else nullcontext():
        if (finished := context.on_main(begin)) is not None:
            note(f"{out} holds this very training already")
            return finished  # type: ignore[no-any-return]
        street = StreetModel(config.model) if base is None else base_street_model(base, config)
        model = FullModel(backbone, street.to(accelerator.device))
        return _train(context, run, model, _Rows(listed, split, out, base), progress, note)


def _backbone(config: TrainingConfig, base: Base | None, accelerator: Accelerator) -> Backbone:
    """The backbone with its first weights."""
    settings = replace(config.backbone, precision=config.model.precision)
    if base is None:
        return load_backbone(settings, accelerator.device)
    check_same_backbone(base, settings)
    return base_backbone(base, settings, accelerator.device)


def _by_weights(weights: SampleWeights) -> SamplerOf:
    """Makes the sampler that draws rows by their weights."""
    return lambda table, seed: WeightedSceneSampler(table.scenes, weights.of_rows(table.rows), seed)


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


@dataclass(frozen=True)
class _Rows:
    """All rows of the sources, which of them are trained on, the checkpoint's folder, its base."""

    listed: ListedRows
    split: Split
    out: Path
    base: Base | None


def _train(
    context: TrainingContext,
    run: TrainingRun,
    model: FullModel,
    rows: _Rows,
    progress: Progress,
    note: Callable[[str], None],
) -> TrainReport:
    """Prepare the rows, train, and put the best epoch's checkpoint in place."""
    split, all_rows = rows.split, rows.listed.rows
    training, validation = (
        [all_rows[index] for index in indices] for indices in (split.training, split.validation)
    )
    prepared = context.session(run, model, SessionRows(training, validation), progress, rows.base)
    context.on_main(lambda: start_trackers(context.accelerator, run))
    session = prepared.session
    session.train(progress, note)
    report = TrainReport(
        run_id=run.run_id,
        out=str(rows.out),
        backbone=context.config.backbone.name,
        image_only=not context.config.dataset.metadata,
        training=len(prepared.training.table),
        validation=len(prepared.validation.table),
        holdout=len(split.holdout),
        streets=split.streets,
        left_out={**rows.listed.left_out, **prepared.left_out},
        epochs=session.epochs,
        best=session.best,
    )

    def finish() -> None:
        check_still_marked(rows.out, run)
        copy_checkpoint(run.best, rows.out)
        finish_training(rows.out, run, asdict(report))

    context.on_main(finish)
    return report
