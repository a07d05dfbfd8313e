"""A base and its fine-tuning, done once for all tests of this room."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from model.fine_tuning.averaging import save_average
from model.fine_tuning.finetune import finetune
from model.fine_tuning.report import FineTuningReport
from model.training.context import PreparedSession, TrainingContext
from model.training.run_folder import TrainingRun
from model.training.session import SessionRows
from tests.model.fine_tuning.drawn_base import TINY, DrawnBase, draw_base
from tests.model.optimization.known_costs import costs_are_known
from tests.model.optimization.toy import cpu_accelerator


@pytest.fixture(autouse=True, scope="package")
def on_the_processor() -> Iterator[None]:
    with costs_are_known(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setattr("model.training.train.make_accelerator", cpu_accelerator)
        patch.setattr("model.fine_tuning.finetune.make_accelerator", cpu_accelerator)
        yield


@pytest.fixture(scope="package")
def base(tmp_path_factory: pytest.TempPathFactory, on_the_processor: None) -> DrawnBase:
    return draw_base(tmp_path_factory.mktemp("frozen"))


@dataclass(frozen=True)
class Tuned:
    """A fine-tuning.

    `kept` is its run's folder as it was before the cleaning up, `rows` those that each fold's
    session got, by the name of the fold's folder.
    """

    out: Path
    report: FineTuningReport
    kept: Path
    rows: dict[str, SessionRows]


@pytest.fixture(scope="package")
def tuned(base: DrawnBase, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    folder = tmp_path_factory.mktemp("tuned")
    rows: dict[str, SessionRows] = {}
    real_session = TrainingContext.session

    def session(
        context: TrainingContext, run: TrainingRun, model: Any, given: SessionRows, progress: Any
    ) -> PreparedSession:
        rows[run.path.name] = given
        return real_session(context, run, model, given, progress)

    def save(out: Path, run: TrainingRun, *rest: Any) -> None:
        shutil.copytree(run.path, folder / "kept")
        save_average(out, run, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingContext, "session", session)
        patch.setattr("model.fine_tuning.finetune.save_average", save)
        report = finetune(base.store, base.sources, base.checkpoint, folder / "out", TINY)
    return Tuned(folder / "out", report, folder / "kept", rows)
