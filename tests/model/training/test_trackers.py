"""Trackers of several trainings in one process."""

from pathlib import Path

import pytest

from model.training.run_folder import TrainingRun
from model.training.trackers import finish_trackers, start_trackers, tracking
from model.training.trainer import make_accelerator
from tests.model.training.toy import QUICK, cpu_accelerator


def test_each_training_logs_to_its_own_folder_alone(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    cpu_accelerator(QUICK)  # nothing is left of an earlier test's
    accelerator = make_accelerator(QUICK, cpu=True, **tracking("tensorboard", tmp_path))
    for name in ("a", "b"):
        run = TrainingRun(name, tmp_path / name, {"config": {"training": {"lr": 0.1}}})
        start_trackers(accelerator, run)
        accelerator.log({"loss": 1.0}, step=1)
        finish_trackers(accelerator)
    accelerator.end_training()
    for name in ("a", "b"):
        assert len(list((tmp_path / name / "streetreplay").glob("events.*"))) == 1
