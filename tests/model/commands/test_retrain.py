"""The command `retrain`: what it hands on, what it prints, and its errors; nothing is trained.

Whole retrainings by it are in `tests/model/retraining`.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import streetreplay
from data.store import Store
from model.optimization.config import TrainingConfig
from model.promotion_gate.judge import judge
from model.promotion_gate.settings import GateSettings
from model.retraining.cluster_changes import ClusterChange
from model.retraining.decide import Decision
from model.retraining.retrain import RetrainSettings
from model.retraining.retrain_report import RetrainReport
from tests.model.promotion_gate.simulated_gates import GateWorld, a_gate

GATE = GateSettings(draws=100)
REPORT = RetrainReport(
    folder="store/models/retrain-1",
    decision=Decision(True, ("era E9 is new",), ()),
    power="to find a true difference of 0.05 reward",
    verdict=judge(replace(a_gate(1, 3.0, GateWorld(images=200)), left_out={"overlaps": 4}), GATE),
    clusters=(
        ClusterChange("denver", 40, 30, 2, 0.4, 0.65, 0.25, (0.1, 0.4)),
        ClusterChange("boston", 9, 5, 0, 0.5, 0.25, -0.25, None),
    ),
    views={1: (0.25, 0.5)},
    minutes={"weights": 0.5, "training": 3.25},
)


class Asked:
    """Takes the place of the retraining, and keeps what it was asked."""

    def __init__(self) -> None:
        self.settings: RetrainSettings | None = None
        self.options: dict[str, Any] = {}

    def __call__(
        self, _store: Store, _shards: object, settings: RetrainSettings, **options: Any
    ) -> RetrainReport:
        self.settings, self.options = settings, options
        return REPORT


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr("model.retraining.retrain.retrain", asked)
    monkeypatch.setattr(
        "model.retraining.champion_training.training_of", lambda *_: TrainingConfig()
    )
    return asked


def run(store: Store, *words: object) -> Any:
    command = ["retrain", f"--store={store.root}", *map(str, words)]
    return CliRunner().invoke(streetreplay.app, command)


def test_text_is_one_page(asked: Asked, store: Store) -> None:
    result = run(store)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for part in (
        "a retraining is due: era E9 is new to find a true difference of 0.05 reward",
        "promoted: the interval lies above 0",
        "challenges left out: 4 overlaps",
        "GPS cluster denver: MCC 0.400 -> 0.650, +0.250 (+0.100 to +0.400, all clusters at once) "
        "on 40 challenges of 30 images, 2 left out",
        "GPS cluster boston: MCC 0.500 -> 0.250, -0.250 (too few for an interval) on 9 challenges",
        "view 1: mean share 0.250 -> 0.500",
        "weights 0.50 min, training 3.25 min",
        "all of it is in store/models/retrain-1",
    ):
        assert part in text
    assert REPORT.verdict is not None
    for one in REPORT.verdict.slices:
        accuracies = f"accuracy {one.champion:.3f} -> {one.challenger:.3f}"
        assert f"{one.field} {one.value}: {accuracies}" in text


def test_json_holds_the_whole_report_and_nothing_else(asked: Asked, store: Store) -> None:
    found = json.loads(run(store, "--json").stdout)
    assert found["promoted"]
    assert found["decision"] == {"due": True, "reasons": ["era E9 is new"], "hindrances": []}
    assert [cluster["name"] for cluster in found["clusters"]] == ["denver", "boston"]
    assert found["clusters"][1]["interval"] is None
    assert REPORT.verdict is not None
    assert found["verdict"]["difference"] == REPORT.verdict.difference
    assert len(found["verdict"]["slices"]) == len(REPORT.verdict.slices)
    assert found["views"] == {"1": [0.25, 0.5]}
    assert found["minutes"] == {"weights": 0.5, "training": 3.25}


def test_options_reach_the_retraining(asked: Asked, store: Store, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[gps]\nnear = 7.0\n")
    words = ("--dry-run", "--if-needed", "--since=2026-03-01T12:00:00+02:00", "--policy", policy)
    assert run(store, *words, "--draws=321", "--new-rows=5", "--power=0.9").exit_code == 0
    assert asked.settings is not None
    assert asked.settings.policy.gps.near == 7.0
    assert asked.settings.gate.draws == 321
    assert asked.settings.decision.new_rows == 5
    assert asked.settings.power.power == 0.9
    assert asked.options["dry_run"]
    assert asked.options["if_needed"]
    assert asked.options["since"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert asked.options["rows"] is None


def test_mistakes_are_one_line_before_anything_is_done(store: Store, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[moon]\nuse = true\n")
    for words, said in (
        (("--policy", policy), "unknown table moon"),
        ((), "champion set FOLDER"),
        (("--sources", tmp_path / "missing"), "no such folder"),
        (("--training", tmp_path / "no.toml"), "no.toml"),
        (("--draws", "5"), "draws"),
    ):
        failed = run(store, *words)
        assert failed.exit_code != 0
        assert said in f"{failed.output} {failed.exception}"
        assert "\n" not in str(failed.exception)
    assert not store.models.exists()
