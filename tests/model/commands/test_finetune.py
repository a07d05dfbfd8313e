"""The command `finetune`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import streetreplay
from model.checkpoint.checkpoint import load_checkpoint
from tests.model.fine_tuning.drawn_base import DrawnBase, draw_base
from tests.model.optimization.toy import cpu_accelerator


@pytest.fixture(autouse=True, scope="module")
def on_the_processor() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setattr("model.training.train.make_accelerator", cpu_accelerator)
        patch.setattr("model.fine_tuning.finetune.make_accelerator", cpu_accelerator)
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, on_the_processor: None) -> DrawnBase:
    return draw_base(tmp_path_factory.mktemp("base"))


def words(base: DrawnBase, out: Path) -> list[str]:
    return [
        "finetune",
        str(base.checkpoint),
        f"--out={out}",
        f"--sources={base.sources.folder}",
        f"--store={base.store.root}",
        "--folds=2",
        "--averaged-folds=1",
        "--epochs=1",
        "--draws=1",
    ]


def test_the_command_reports_for_people_and_in_json(base: DrawnBase, tmp_path: Path) -> None:
    own = words(base, tmp_path / "out")
    result = CliRunner().invoke(streetreplay.app, own)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "image-only on test_vit, 60 rows of 11 streets in 2 folds, 36 rows left out" in text
    assert "out of fold, all 60 images: MCC" in text
    assert "the average has no out-of-fold score of its own" in text
    assert "in the base training" in text
    described = CliRunner().invoke(streetreplay.app, ["describe", str(tmp_path / "out")])
    assert "on features of test_vit" in described.output
    again = CliRunner().invoke(streetreplay.app, [*own, "--json"])
    report = json.loads(again.stdout)
    assert report["rows"] == report["images"] == 60
    assert len(report["out_of_fold"]["difference"]["interval"]) == 2
    assert "no out-of-fold score" in report["note"]
    [averaged] = report["averaged"]
    assert f"the average of folds {averaged};" in text
    training = load_checkpoint(tmp_path / "out").card.training
    assert training["fine_tuned_from"] == report["base"]
    run = json.loads((base.store.runs / report["run_id"] / "run.json").read_text())
    assert run["config"]["optimizer"]["lr"] == 1e-6
    assert run["config"]["optimizer"]["ema_decay"] == 0
    assert run["config"]["model"]["dropout"] == 0.2
    # the settings that it writes are those that give the same again
    settings = base.store.runs / report["run_id"] / "settings.toml"
    same = CliRunner().invoke(streetreplay.app, [*own[:5], f"--settings={settings}", "--json"])
    assert json.loads(same.stdout) == report


def test_the_command_says_errors(base: DrawnBase, tmp_path: Path) -> None:
    own = words(base, tmp_path / "out")
    failed = CliRunner().invoke(streetreplay.app, [*own, "--metadata"])
    assert "trained on images alone" in str(failed.exception)
    own[1] = str(tmp_path / "none")
    missing = CliRunner().invoke(streetreplay.app, own)
    assert "no such folder" in str(missing.exception)
    few = CliRunner().invoke(streetreplay.app, [*own, "--averaged-folds=3"])
    assert few.exit_code == 2
    assert "at most 2, the number of folds" in few.output
