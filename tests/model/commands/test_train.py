"""The commands `train` and `describe`."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import streetreplay
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from data.store import Store
from model.checkpoint.checkpoint import load_checkpoint

SCENES = SceneSettings(seed=9, rows=36, row_group_rows=5, size_mix=(((320, 240), 1.0),))


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    folder = tmp_path / "sources"
    write_shards(folder, SCENES)
    return Shards(folder)


@pytest.fixture(autouse=True)
def on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_the_command_trains_describes_and_says_errors(
    shards: Shards, store: Store, tmp_path: Path
) -> None:
    options = [
        "train",
        f"--out={tmp_path / 'out'}",
        "--backbone=test_resnet",
        "--side=32",
        "--weights=random",
        "--epochs=1",
        "--train-backbone=all",
        "--workers=0",
        "--draws=1",
        "--validation=0.3",
    ]
    words = [*options, f"--sources={shards.folder}", f"--store={store.root}"]
    result = CliRunner().invoke(streetreplay.app, [*words, "--arithmetic", "avx512"])
    assert result.exit_code == 0, result.output
    assert load_checkpoint(tmp_path / "out").card.training["arithmetic"] == "avx512"
    # by the other it is another training
    again = CliRunner().invoke(streetreplay.app, words)
    assert "--replace" in str(again.exception)
    words += ["--arithmetic", "avx512"]
    assert "image-only on test_resnet" in result.output
    assert "36 rows" not in result.output
    result = CliRunner().invoke(streetreplay.app, [*words, "--json"])
    assert json.loads(result.stdout)["image_only"] is True
    described = CliRunner().invoke(streetreplay.app, ["describe", str(tmp_path / "out")])
    assert "on features of test_resnet" in described.output
    as_json = CliRunner().invoke(streetreplay.app, ["describe", "--json"])
    parts = json.loads(as_json.stdout)
    assert parts["parameters"] == sum(part["parameters"] for part in parts["parts"])
    assert parts["parts"][0].keys() == {"name", "input_shape", "output_shape", "parameters"}
    failed = CliRunner().invoke(streetreplay.app, [*options, f"--store={tmp_path / 'none'}"])
    assert "no *.parquet shard" in str(failed.exception)
