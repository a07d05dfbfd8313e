"""A retraining of a tiny champion in a small simulated world."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from model.champion.champion import champion
from model.champion.promotions import read_promotions
from model.champion.succession import set_champion
from model.demo.run import run_demo
from model.demo.settings import MODEL
from model.promotion_gate.judge import judge
from model.promotion_gate.settings import GateSettings, PowerSettings
from model.promotion_gate.verdict import Verdict
from model.retraining.champion_training import training_of
from model.retraining.decide import DecisionSettings
from model.retraining.retrain import RetrainSettings, retrain
from model.retraining.retrain_folder import OUTCOME, RetrainFolder, retrain_lock, retrainings
from model.retraining.retrain_report import RetrainReport, report_lines
from model.weighting.policy import WeightPolicy
from replay.settings import VariantSettings
from tests.worlds.small_demo import SMALL_DEMO, silence

STEPS = ("weights", "training", "gate", OUTCOME)


class KilledError(BaseException):
    """As a kill: nothing catches it."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A small demo's store, its model the champion; tests go on from each other's retrainings."""
    store = Store(tmp_path_factory.mktemp("world") / "store")
    run_demo(store, silence, SMALL_DEMO)
    set_champion(store, store.models / MODEL)
    return store


def ask(store: Store, **options: Any) -> RetrainReport:
    settings = RetrainSettings(
        policy=WeightPolicy(),
        decision=DecisionSettings(),
        gate=GateSettings(draws=200),
        power=PowerSettings(),
        training=training_of(store),
        variants=VariantSettings(SMALL_DEMO.variants),
    )
    shards = Shards(store.sources)
    return retrain(store, shards, settings, rows=Shards(store.training), **options)


def test_a_dry_run_says_what_the_gate_needs_and_trains_nothing(store: Store) -> None:
    report = ask(store, dry_run=True)
    assert report.folder is None
    assert report.verdict is None
    assert not retrainings(store)
    lines = list(report_lines(report))
    assert lines[0].startswith("no retraining is due")
    assert any(line.startswith("to find a true difference of 0.05 reward") for line in lines)


def test_nothing_due_is_nothing_done(store: Store) -> None:
    report = ask(store, if_needed=True)
    assert not report.decision.due
    assert not retrainings(store)


def test_a_retraining_cut_off_after_any_step_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = champion(store)
    for step in STEPS[:-1]:
        with monkeypatch.context() as patch:
            patch.setattr(RetrainFolder, "done", dying_after(step))
            with pytest.raises(KilledError):
                ask(store)
        assert champion(store) == before
        [folder] = retrainings(store)
        assert set(folder.steps) == set(STEPS[: STEPS.index(step) + 1])
    report = ask(store)
    [folder] = retrainings(store)
    assert set(folder.steps) == set(STEPS)
    assert report.folder == str(folder.path)
    assert report.verdict is not None
    # judged once, whatever was cut off
    entries = [entry for entry in read_promotions(store) if entry.gate is not None]
    assert len(entries) == 1
    written = json.loads((folder.path / "report.json").read_bytes())
    assert written["promoted"] == report.promoted
    assert written["verdict"]["n"] == report.verdict.n
    assert "factor gps" in (folder.path / "report.txt").read_text()
    assert len(report.views) == 12


def dying_after(last: str) -> Any:
    done = RetrainFolder.done

    def killed(folder: RetrainFolder, step: str, values: dict[str, Any]) -> None:
        done(folder, step, values)
        if step == last:
            raise KilledError

    return killed


def test_two_retrainings_at_once_are_refused(store: Store) -> None:
    with retrain_lock(store), pytest.raises(RunError, match="another one at work"):
        ask(store)


def test_a_store_without_a_champion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"found none; .*champion set FOLDER"):
        ask(Store(tmp_path))


def test_an_altered_champion_is_refused_and_stays(store: Store) -> None:
    before = (store.models / "champion.json").read_bytes()
    card = store.models / MODEL / "model.json"
    content = card.read_bytes()
    card.write_bytes(content + b" ")
    try:
        with pytest.raises(RunError, match="another checkpoint"):
            ask(store)
    finally:
        card.write_bytes(content)
    assert (store.models / "champion.json").read_bytes() == before


def test_a_retraining_cut_off_after_its_promotion_is_not_done_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = champion(store)

    def promoting(*arguments: Any) -> Verdict:
        return replace(judge(*arguments), promoted=True)

    with monkeypatch.context() as patch:
        patch.setattr("model.champion.succession.judge", promoting)
        patch.setattr(RetrainFolder, "done", dying_after("gate"))
        with pytest.raises(KilledError):
            ask(store)
    promoted = champion(store)
    assert promoted is not None
    assert promoted != before
    report = ask(store)
    assert report.folder == str(promoted.folder.parent)
    assert champion(store) == promoted
    assert all(OUTCOME in folder.steps for folder in retrainings(store))
