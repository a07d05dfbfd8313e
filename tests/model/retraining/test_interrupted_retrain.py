"""A retraining that is killed at fifteen moments, one after the other, ends as an undisturbed one.

Each time the same is asked for again, what was done before is not done again, and the champion is
the old one until the pointer has moved.
"""

import errno
import gc
import json
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data.digests import file_digest
from data.errors import WriteError
from data.store import Store
from model.champion import succession
from model.champion.champion import entries_in_effect
from model.checkpoint.predictor import load_predictor
from model.optimization.trainer import Trainer
from model.retraining import gate_run
from model.retraining.decide import Evidence
from model.retraining.decision_evidence import decision_evidence
from model.retraining.retrain_folder import OUTCOME, RetrainFolder, retrainings
from replay.answering.part_predictor import PartPredictor
from replay.candidates.predictor import Predictor
from tests.model.retraining.coloured_world import (
    ColouredWorld,
    ask,
    judged,
    present,
    written_report,
)
from tests.model.training.kill_switch import Killed

Dies = Callable[..., bool]
Moment = tuple[str, Any, str, Dies]
"""What a moment is called, and the function that dies there: its owner and name, and at which call
by its arguments."""


def at_once(*_: Any) -> bool:
    return True


def at_call(number: int) -> Dies:
    calls = [0]

    def dies(*_: Any) -> bool:
        calls[0] += 1
        return calls[0] == number

    return dies


def at_step(name: str) -> Dies:
    """Before it is noted that a step is done."""
    return lambda _folder, step, _values: step == name


def onto(*names: str) -> Dies:
    """Before a file of that name, of the last folder, takes the place of what was there."""
    return lambda _source, target: Path(target).parts[-len(names) :] == names


OLD: list[Moment] = [
    ("within the champion's replay", PartPredictor, "begin", at_call(2)),
    ("its answers are not published", os, "replace", onto("warehouse.duckdb")),
    ("the retraining begins", os, "replace", onto("retrain.json")),
    ("weights are written", os, "replace", onto("sample_weights.parquet")),
    ("weights are not noted", RetrainFolder, "done", at_step("weights")),
    ("within the second epoch", Trainer, "_batch", at_call(6)),
    ("the disk is full", shutil, "copyfile", onto(".new", "model.safetensors")),
    ("the training is not noted", RetrainFolder, "done", at_step("training")),
    ("the checkpoint is put in place", os, "replace", onto("checkpoint", "model.json")),
    ("it is not noted", RetrainFolder, "done", at_step("interpolation")),
    ("within the challenger's replay", PartPredictor, "begin", at_call(2)),
    ("the gate is not noted", succession, "judge", at_once),
    ("between gate set and log", succession, "append_promotion", at_once),
    ("between log and pointer", succession, "write_pointer", at_once),
]
NEW: list[Moment] = [
    ("the promotion is not noted", RetrainFolder, "done", at_step("gate")),
    ("before the report", RetrainFolder, "write_report", at_once),
    ("within the report", os, "replace", onto("report.txt")),
    ("the end is not noted", RetrainFolder, "done", at_step(OUTCOME)),
]


def test_whatever_the_moment_it_ends_in_what_an_undisturbed_one_ends_in(
    world: ColouredWorld, retrained: tuple[Store, str], tmp_path: Path
) -> None:
    store = world.copied(tmp_path / "killed")
    old, power = present(store), json.loads(retrained[1])["power"]
    for moment in OLD:
        interrupt(store, world.rows, moment, power)
        assert present(store) == old, moment[0]
        assert len(retrainings(store)) <= 1
    for moment in NEW:
        interrupt(store, world.rows, moment, power)
        assert present(store).folder == retrainings(store)[0].checkpoint, moment[0]
    report = ask(store, world.rows)
    [folder], [undisturbed] = retrainings(store), retrainings(retrained[0])
    assert report.folder == str(folder.path)
    assert report.promoted
    assert list(folder.steps) == list(undisturbed.steps)
    found, expected = (written_report(one.path) for one in (folder, undisturbed))
    for (_, shares), (_, others) in zip(
        sorted(found.pop("views").items()), sorted(expected.pop("views").items()), strict=True
    ):
        # the last bits are those of a batch, which a kill cuts otherwise
        assert shares == pytest.approx(others, rel=1e-5)
    assert found == expected
    assert digests(folder.checkpoint) == digests(undisturbed.checkpoint)
    # judged once, whatever was cut off
    assert [entry.event for entry in judged(store)] == ["promoted"]
    assert [entry.event for entry in entries_in_effect(store)] == ["promoted", "set"]
    # the next one is another
    assert ask(store, world.rows, dry_run=True).folder is None
    assert retrainings(store) == [folder]


@cache
def loaded(folder: Path, store: Store) -> Predictor:
    """A model that is loaded once for all."""
    return load_predictor(folder, store)


_EVIDENCE: dict[Store, Evidence] = {}


def evidence_once(connection: Any, store: Store, *asked: Any) -> Evidence:
    """What is decided by, the same until a challenger is promoted."""
    if store not in _EVIDENCE:
        _EVIDENCE[store] = decision_evidence(connection, store, *asked)
    return _EVIDENCE[store]


def interrupt(store: Store, rows: Path, moment: Moment, power: str) -> None:
    """Retrain until a moment; a full disk is an error, all else the end of the process.

    What the gate needs, `power`, and the decision's evidence are not calculated each time.
    """
    name, owner, function, dies = moment
    full = "disk is full" in name
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate_run, "load_predictor", loaded)
        patch.setattr("model.retraining.retrain.decision_evidence", evidence_once)
        patch.setattr(gate_run.GateRun, "power", lambda *_: SimpleNamespace(sentence=power))
        reached = stop_at(patch, owner, function, dies, full=full)
        with pytest.raises(WriteError if full else Killed) as stopped:
            ask(store, rows)
    said = str(stopped.value)
    # a process that died holds no lock; here its frames do, until they are looked for
    del stopped
    gc.collect()
    assert reached, name
    if full:
        assert "model.safetensors: found No space left on device" in said
        assert "\n" not in said


def stop_at(
    patch: pytest.MonkeyPatch, owner: Any, function: str, dies: Dies, *, full: bool
) -> list[None]:
    """Stop a function at a call; a process that died changes nothing on the disk after it."""
    reached: list[None] = []

    def watched(real: Callable[..., Any], last: Dies) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if reached and not full:
                raise Killed
            if last(*arguments):
                reached.append(None)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) if full else Killed
            return real(*arguments, **options)

        return call

    for name in ("replace", "unlink", "mkdir", "rmdir", "rename", "fsync", "ftruncate"):
        patch.setattr(os, name, watched(getattr(os, name), lambda *_: False))
    patch.setattr(owner, function, watched(getattr(owner, function), dies))
    return reached


def digests(checkpoint: Path) -> dict[str, str]:
    return {path.name: file_digest(path) for path in checkpoint.iterdir() if path.suffix != ".json"}


def test_a_promotion_whose_old_champion_is_gone_is_not_done_twice(
    world: ColouredWorld, successor: Store
) -> None:
    """Of it no report can be made."""
    [folder], promoted = retrainings(successor), present(successor)
    del folder.steps[OUTCOME], folder.steps["gate"]
    folder.done("training", folder.steps["training"])
    shutil.rmtree(successor.models / "first")
    report = ask(successor, world.rows)
    assert report.folder == str(folder.path)
    assert report.decision.hindrances == (
        f"{folder.path.name} had promoted this champion before it was cut off",
    )
    assert present(successor) == promoted
    assert OUTCOME in retrainings(successor)[0].steps
    assert len(judged(successor)) == 1


def test_a_promotion_that_is_gone_on_with_by_other_settings_is_not_done_twice(
    world: ColouredWorld, successor: Store
) -> None:
    [folder] = retrainings(successor)
    del folder.steps[OUTCOME], folder.steps["gate"]
    folder.done("training", folder.steps["training"])
    report = ask(successor, world.shuffled)
    assert report.folder == str(folder.path)
    assert report.verdict is None
    assert len(judged(successor)) == 1
