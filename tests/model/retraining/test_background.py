"""A retraining in the background: what is run, and that it goes on where it was stopped."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.background.process import RUNNING, State
from data.errors import RunError
from data.store import Store
from model.champion.promotions import read_promotions
from model.retraining import background
from model.retraining.background import (
    Mode,
    RetrainRequest,
    RowsFolder,
    last_retraining,
    resume_retraining,
    start_retraining,
)
from model.weighting.policy import GpsPolicy, WeightPolicy, read_policy
from tests.model.retraining.coloured_world import ColouredWorld
from tests.worlds.waiting import wait_for

POLICY = WeightPolicy(gps=GpsPolicy(near=7.5, use=False))


def state(store: Store) -> State:
    last = last_retraining(store)
    assert last is not None
    return last.process.state


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Sequence[str]]]:
    """What would be run."""
    runs: list[tuple[str, Sequence[str]]] = []

    def start(starts: Path, module: str, make_arguments: Callable[[Path], Sequence[str]]) -> None:
        folder = starts / "1"
        folder.mkdir(parents=True, exist_ok=True)
        runs.append((module, make_arguments(folder)))

    monkeypatch.setattr(background, "start", start)
    return runs


@pytest.mark.parametrize(
    ("mode", "flags"),
    [(Mode.IF_NEEDED, ["--if-needed"]), (Mode.DRY_RUN, ["--dry-run"]), (Mode.ALWAYS, [])],
)
def test_the_command_is_a_fixed_list(
    tmp_path: Path, asked: list[tuple[str, Sequence[str]]], mode: Mode, flags: list[str]
) -> None:
    """A store's name that a shell or the command line could mistake stays one argument."""
    store = Store(tmp_path / "--json; $(touch x)")
    start_retraining(store, RetrainRequest(mode, RowsFolder.TRAINING, 4, POLICY))
    [(module, arguments)] = asked
    policy = store.models / "background" / "1" / "policy.toml"
    assert module == "streetreplay"
    assert arguments == [
        "retrain",
        f"--store={store.root}",
        f"--rows={store.root}/training",
        f"--policy={policy}",
        "--variants=4",
        *flags,
        "--json",
    ]
    assert read_policy(policy) == POLICY


@pytest.mark.parametrize(
    "change",
    [{"mode": "; rm"}, {"rows": "/etc"}, {"variants": 0}, {"variants": "4"}, {"policy": None}],
)
def test_nothing_but_checked_values_can_be_asked(change: dict[str, Any]) -> None:
    with pytest.raises(RunError, match="retraining setting"):
        replace(RetrainRequest(), **change)


def test_there_is_nothing_to_resume(store: Store) -> None:
    assert last_retraining(store) is None
    with pytest.raises(RunError, match="no start that can be repeated"):
        resume_retraining(store)


def test_a_damaged_request_is_not_repeated(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    process = start_retraining(store, RetrainRequest())
    wait_for(lambda: state(store) not in RUNNING)
    assert (state(store), process.status) == (State.FAILED, 1)
    assert "streetreplay champion set" in process.log.read_text()
    for content in ("", "[]", '{"mode": "x"}', "[" * 100_000):
        (process.folder / "request.json").write_text(content)
        last = last_retraining(store)
        assert last is not None
        assert last.request is None
        with pytest.raises(RunError, match="no start that can be repeated"):
            resume_retraining(store)


def test_it_is_stopped_and_goes_on(world: ColouredWorld, store: Store) -> None:
    shutil.copytree(world.rows, store.training)
    request = RetrainRequest(Mode.ALWAYS, RowsFolder.TRAINING, 16, POLICY)
    start_retraining(store, request)
    with pytest.raises(RunError, match="one at a time"):
        start_retraining(store, request)

    def step() -> str:
        last = last_retraining(store)
        assert last is not None
        assert last.process.state in RUNNING, last.process.log.read_text()
        return last.step

    wait_for(lambda: step() in ("weigh", "train", "judge"))
    stopped = last_retraining(store)
    assert stopped is not None
    assert stopped.folder is not None
    stopped.process.stop()
    wait_for(lambda: state(store) not in RUNNING)
    assert (state(store), stopped.process.status) == (State.STOPPED, 1)

    resume_retraining(store)
    wait_for(lambda: state(store) not in RUNNING)
    last = last_retraining(store)
    assert last is not None
    assert last.folder is not None
    assert last.process.state is State.DONE, last.process.log.read_text()
    assert last.process.folder != stopped.process.folder
    assert last.request == stopped.request == request
    assert last.folder.path == stopped.folder.path
    assert last.step == "end"
    assert last.report is not None
    assert last.report["weights"]["policy"]["gps"]["near"] == 7.5
    assert json.dumps(last.report["verdict"]["reasons"]) == json.dumps(
        list(read_promotions(store)[-1].reasons)
    )
