"""The training of one fold from the base's weights, and its answers to the rows it did not see."""

import copy
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import polars as pl

from data.atomic_files import atomic_file, make_folder, write_atomic
from data.progress import Progress
from model.checkpoint.checkpoint import Checkpoint, load_checkpoint
from model.fine_tuning.out_of_fold import answer_table, table_mcc
from model.fine_tuning.report import FoldReport
from model.network.street_model import StreetModel
from model.optimization.full_model import FullModel
from model.optimization.metrics import probabilities
from model.training.context import PreparedSession, TrainingContext
from model.training.run_folder import TrainingRun
from model.training.session import SessionRows
from model.training.trackers import finish_trackers, start_trackers

# Both lie beside the fold's checkpoint, and go with it; the first says that the fold is done.
_REPORT, _ANSWERS = "fold.json", "out_of_fold.parquet"


class FoldTrainings:
    """Trains a model for each fold, one after the other; a fold that is done is not done again."""

    def __init__(self, context: TrainingContext, run: TrainingRun, base: FullModel) -> None:
        """Take what is at hand, the fine-tuning's folder, and the base model: it stays as it is."""
        self._context, self._run, self._base = context, run, base

    def train(
        self,
        number: int,
        rows: SessionRows,
        progress: Progress,
        note: Callable[[str], None],
    ) -> FoldReport:
        """Train on the rows of a fold, unless that is done, and keep the best epoch's answers.

        Raises:
            RunError: as `Session.train`.
            WriteError: the fold's folder cannot be written.
        """
        context, run = self._context, self._run.fold(number)
        report: FoldReport | None = context.on_main(partial(_finished, run))
        if report is not None:
            note("done already")
            return report
        context.on_main(partial(make_folder, run.path))
        model = self._first_model()
        prepared = context.session(run, model, rows, progress)
        context.on_main(partial(start_trackers, context.accelerator, run))
        prepared.session.train(progress, note)
        answers = self._answers(number, load_checkpoint(run.best), model, prepared)
        report = FoldReport(
            fold=number,
            training=len(prepared.training.table),
            validation=len(prepared.validation.table),
            left_out=dict(prepared.validation.left_out),
            epochs=prepared.session.epochs,
            best=prepared.session.best,
            base_mcc=table_mcc(answers, "base_probability"),
        )
        context.on_main(partial(_finish, run, report, answers))
        finish_trackers(context.accelerator)
        context.accelerator.free_memory()
        return report

    def answers(self, number: int) -> pl.DataFrame:
        """The answers of a fold that is done, as `answer_table` gives them."""
        return pl.read_parquet(self._run.fold(number).best / _ANSWERS, glob=False)

    def _first_model(self) -> FullModel:
        """A model of the base's weights, with a backbone of its own where that is trained."""
        street = StreetModel(self._context.config.model)
        street.load_state_dict(self._base.street.state_dict())
        backbone = self._base.backbone
        return FullModel(
            backbone if backbone.frozen else copy.deepcopy(backbone),
            street.to(self._context.accelerator.device),
        )

    def _answers(
        self, number: int, best: Checkpoint, model: FullModel, prepared: PreparedSession
    ) -> pl.DataFrame:
        """The answers of the best epoch's model and of the base model to the same images."""
        own: dict[str, Any] = {"street": best.model.state_dict()}
        model.load_trained_state(
            own if model.backbone.frozen else own | {"backbone": best.backbone}
        )
        accelerator = self._context.accelerator
        loader = accelerator.prepare(prepared.loaders.validation)
        probability, base = (
            probabilities(asked, loader, accelerator) for asked in (model, self._base)
        )
        draws = self._context.config.dataset.draws
        return answer_table(prepared.validation.table.rows, draws, number, probability, base)


def _finished(run: TrainingRun) -> FoldReport | None:
    """The report of a fold that is done."""
    try:
        return FoldReport.read(json.loads((run.best / _REPORT).read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _finish(run: TrainingRun, report: FoldReport, answers: pl.DataFrame) -> None:
    with atomic_file(run.best / _ANSWERS) as temporary:
        answers.write_parquet(temporary)
    write_atomic(run.best / _REPORT, json.dumps(asdict(report)).encode())
    run.clean_state()
