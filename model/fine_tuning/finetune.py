"""Fine-tuning of a checkpoint on rows that it has not seen, scored out of fold."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from accelerate import Accelerator

from data.atomic_files import atomic_file
from data.errors import RunError
from data.progress import Progress, silent
from data.sources.shards import Shards
from data.store import Store
from model.fine_tuning.averaging import AveragedFolds, best_folds, save_average
from model.fine_tuning.base import check_averageable, tuned_config
from model.fine_tuning.fold_rows import FoldRows, base_holdout, fold_rows
from model.fine_tuning.fold_training import FoldTrainings
from model.fine_tuning.out_of_fold import out_of_fold_scores
from model.fine_tuning.report import FineTuningReport, FoldReport
from model.fine_tuning.settings import FineTuningConfig
from model.optimization.accelerator import make_accelerator
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel
from model.rows.source_rows import row_columns
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow
from model.training.base_checkpoint import Base, base_backbone, load_base
from model.training.context import TrainingContext
from model.training.out_folder import (
    begin_training,
    check_still_marked,
    finish_training,
    finished_outcome,
)
from model.training.processes import quiet, together
from model.training.run_folder import TrainingRun, open_training_run
from model.training.trackers import tracking

KIND = "finetune"
ANSWERS = "out_of_fold.parquet"
"""The out-of-fold answers in a run's folder, with the columns of `answer_table`."""


def finetune(
    store: Store,
    shards: Shards,
    checkpoint: Path,
    out: Path,
    config: FineTuningConfig,
    *,
    replace_checkpoint: bool = False,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda _: None,
) -> FineTuningReport:
    """Fine-tune a checkpoint once for each fold, and keep the mean of the best folds' weights.

    Rows that overlap with those of the base's training, or with its holdout, are left out. The same
    fine-tuning is not done twice: where `out` holds its checkpoint, its report is read; one that
    was interrupted goes on, in the fold where it was.

    Args:
        store: gets the run's folder; keeps features of a frozen backbone.
        shards: the source rows.
        checkpoint: the folder of the base; it stays as it is.
        out: the folder of the result, made if it does not exist.
        config: all settings.
        replace_checkpoint: of another training, where `out` holds one.
        progress: shows long work.
        note: takes a line for a person.

    Raises:
        SourceError: no sources, or not of the public data set's form.
        RunError: a base that is not whole or names no training rows, too few rows that it has not
            seen, what `train` refuses, or a training that was stopped.
        WriteError: a folder cannot be written.
    """
    if out.resolve() == checkpoint.resolve():
        raise RunError(
            f"--out {out}", found="the folder of the base itself", expected="a folder of its own"
        )
    base = load_base(checkpoint)
    training_config = tuned_config(base, config)
    accelerator = make_accelerator(training_config, **tracking(config.training.tracker, store.runs))
    if not accelerator.is_main_process:
        progress, note = silent, quiet
    asked = _Asked(store, shards, out, config, replace_checkpoint)
    with together(accelerator):
        return _tune_or_read(asked, base, training_config, accelerator, progress, note)


@dataclass(frozen=True)
class _Asked:
    """What `finetune` was asked for."""

    store: Store
    shards: Shards
    out: Path
    config: FineTuningConfig
    replace_checkpoint: bool


def _tune_or_read(
    asked: _Asked,
    base: Base,
    training_config: TrainingConfig,
    accelerator: Accelerator,
    progress: Progress,
    note: Callable[[str], None],
) -> FineTuningReport:
    """Fine-tune in all processes, or read the report of what is done already."""
    store, shards, out, config = asked.store, asked.shards, asked.out, asked.config
    rows = fold_rows(shards, base, base_holdout(store, base, note), config.fine_tuning)
    backbone = base_backbone(base, training_config.backbone, accelerator.device)
    check_averageable(backbone, config.fine_tuning)
    training_config = training_config.resolved(backbone.width)
    config = replace(config, dataset=training_config.dataset)
    determining = {
        "config": {**asdict(config), **_own(training_config)},
        "base": base.named,
        "sources": shards.fingerprints([(row.parquet, row.row) for row in rows.listed.rows]),
        "rows": len(rows.listed.rows),
        "folds": rows.digest,
        "backbone_fingerprint": backbone.fingerprint,
        "device": accelerator.device.type,
        "processes": accelerator.num_processes,
    }
    run = open_training_run(store, determining, KIND)
    context = TrainingContext(store, shards, training_config, accelerator)

    def begin() -> FineTuningReport | None:
        if (report := finished_outcome(out, run, FineTuningReport.read)) is None:
            tables, table = config.tables, rows.table()
            begin_training(
                out, run, store, tables, table, replace_checkpoint=asked.replace_checkpoint
            )
        return report

    # one process holds the lock for all
    with run.locked() if accelerator.is_main_process else nullcontext():
        if (finished := context.on_main(begin)) is not None:
            note(f"{out} holds this very fine-tuning already")
            return finished  # type: ignore[no-any-return]
        street = base.checkpoint.model.to(accelerator.device)
        tuning = _FineTuning(context, run, base, FullModel(backbone, street), rows)
        return tuning.train(out, config, progress, note)


def _own(config: Any) -> dict[str, Any]:
    """What the base's card has decided of the settings."""
    return {"model": asdict(config.model), "backbone": asdict(config.backbone)}


class _FineTuning:
    """A fine-tuning whose run is begun."""

    def __init__(
        self,
        context: TrainingContext,
        run: TrainingRun,
        base: Base,
        model: FullModel,
        rows: FoldRows,
    ) -> None:
        self._context, self._run, self._rows = context, run, rows
        self._base, self._model = base, model
        self._folds = FoldTrainings(context, run, model)

    def train(
        self,
        out: Path,
        config: FineTuningConfig,
        progress: Progress,
        note: Callable[[str], None],
    ) -> FineTuningReport:
        """Train all folds, score them, and put the average of the best in place."""
        count = len(self._rows.folds)
        reports = []
        for number, fold in enumerate(self._rows.folds, start=1):

            def of_fold(line: str, number: int = number) -> None:
                note(f"fold {number} of {count}: {line}")

            rows = self._rows.of_fold(fold)
            reports.append(self._folds.train(number, rows, progress, of_fold))
        report: FineTuningReport = self._context.on_main(
            lambda: self._finish(out, reports, config.fine_tuning.averaged_folds)
        )
        return report

    def _finish(
        self, out: Path, reports: Sequence[FoldReport], averaged_folds: int
    ) -> FineTuningReport:
        answers = pl.concat([self._folds.answers(report.fold) for report in reports])
        with atomic_file(self._run.path / ANSWERS) as temporary:
            answers.write_parquet(temporary)
        used = self._used(answers)
        averaged = best_folds(reports, averaged_folds)
        check_still_marked(out, self._run)
        save_average(
            out,
            self._run,
            self._base,
            self._model.backbone,
            self._context.config,
            # the folds that a model was not trained on chose its epoch
            AveragedFolds(averaged, len(reports), row_columns(used)),
        )
        report = self._report(out, reports, answers, averaged)
        finish_training(out, self._run, asdict(report))
        return report

    def _report(
        self,
        out: Path,
        reports: Sequence[FoldReport],
        answers: pl.DataFrame,
        averaged: list[int],
    ) -> FineTuningReport:
        used = self._used(answers)
        without_image = sum((Counter(report.left_out) for report in reports), Counter[str]())
        card = self._base.checkpoint.card
        return FineTuningReport(
            run_id=self._run.run_id,
            out=str(out),
            base=self._base.named,
            backbone=card.backbone,
            image_only=not self._context.config.dataset.metadata,
            rows=len(used),
            images=answers.height,
            streets=len(np.unique(streets_of_rows(used))),
            left_out=dict(Counter(self._rows.listed.left_out) + without_image),
            folds=list(reports),
            out_of_fold=out_of_fold_scores(answers, self._rows.listed.rows),
            averaged=averaged,
        )

    def _used(self, answers: pl.DataFrame) -> list[TrainingRow]:
        """The rows that have images."""
        named = set(answers.select("parquet", "row").iter_rows())
        return [row for row in self._rows.listed.rows if (row.parquet, row.row) in named]
