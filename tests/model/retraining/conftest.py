"""What tests of whole retrainings share: one world, and one undisturbed retraining in it."""

import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import streetreplay
from data.store import Store
from model.retraining.retrain_report import RetrainReport
from tests.made_once import made_once
from tests.model.optimization.known_costs import costs_are_known
from tests.model.optimization.toy import cpu_accelerator
from tests.model.retraining.coloured_world import (
    ColouredWorld,
    ask,
    coloured_world_in,
    make_coloured_world,
)


@contextmanager
def quick_trainings() -> Iterator[None]:
    """Trainings in this process on the CPU, without what takes longer than they: curves, costs."""
    with costs_are_known(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setattr("model.training.train.make_accelerator", cpu_accelerator)
        patch.setattr("model.training.run_folder.write_curves", lambda file, _: file.touch())
        yield


@pytest.fixture(autouse=True)
def trainings_are_quick() -> Iterator[None]:
    """A test at a time: what a session changes would be there for all tests after it."""
    with quick_trainings():
        yield


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> ColouredWorld:
    """No test changes it."""
    with quick_trainings():
        return coloured_world_in(made_once(tmp_path_factory, "coloured", make_coloured_world))


@pytest.fixture(scope="session")
def replayed(
    world: ColouredWorld, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Store, RetrainReport]:
    """A store in which the champion has answered the log, and the dry run that made it do so.

    No test changes it.
    """

    def make(folder: Path) -> None:
        with quick_trainings():
            report = ask(world.copied(folder / "store"), world.rows, dry_run=True)
        (folder / "report.pickle").write_bytes(pickle.dumps(report))

    folder = made_once(tmp_path_factory, "replayed", make)
    report: RetrainReport = pickle.loads((folder / "report.pickle").read_bytes())  # noqa: S301
    return Store(folder / "store"), report


@pytest.fixture
def store(replayed: tuple[Store, RetrainReport], tmp_path: Path) -> Store:
    """A copy of it that a test may change."""
    shutil.copytree(replayed[0].root, tmp_path / "copy")
    return Store(tmp_path / "copy")


@pytest.fixture(scope="session")
def retrained(
    world: ColouredWorld,
    replayed: tuple[Store, RetrainReport],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Store, str]:
    """A store in which the command `retrain` was run undisturbed, and what it printed.

    No test changes it.
    """

    def make(folder: Path) -> None:
        shutil.copytree(replayed[0].root, folder / "store")
        words = ["retrain", f"--rows={world.rows}", "--draws=100", f"--store={folder / 'store'}"]
        with quick_trainings():
            result = CliRunner().invoke(
                streetreplay.app, [*words, "--json"], catch_exceptions=False
            )
        assert result.exit_code == 0
        (folder / "printed.json").write_text(result.stdout, "utf-8")

    folder = made_once(tmp_path_factory, "retrained", make)
    return Store(folder / "store"), (folder / "printed.json").read_text("utf-8")


@pytest.fixture
def successor(retrained: tuple[Store, str], tmp_path: Path) -> Store:
    """A copy of the store in which the command has promoted a challenger that is always right."""
    shutil.copytree(retrained[0].root, tmp_path / "successor")
    return Store(tmp_path / "successor")
