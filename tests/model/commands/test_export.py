import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import RunError, StoreError
from data.store import Store
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.champion.checkpoint_digest import checkpoint_digest
from model.champion.pointer import Pointer, stored_folder, write_pointer
from model.commands.export import app
from model.export.onnx_file import OPSET
from tests.model.export.exported import save_on


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    backbone = load_backbone(BackboneSettings("test_vit", RANDOM, 64, seed=3), "cpu")
    return save_on(tmp_path_factory.mktemp("models") / "mine", backbone)


def test_it_says_what_was_written_and_how_long_an_answer_takes(
    checkpoint: Path, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, [str(checkpoint), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    for words in (
        f"mine on test_vit, image-only, in {tmp_path / 'out'}: ONNX opset {OPSET}",
        "threshold: a shift of +0.0000; no replay of this checkpoint in the store",
        "(bound 0.0001)",
        "s for 224 x 224",
        "a validator waits 9 s",
        f"streetreplay replay --model {tmp_path / 'out'}",
    ):
        assert words in done.stdout, words


def test_json_is_the_card_and_nothing_else(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [str(checkpoint), "--out", str(out), "--shift", "-0.25", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["out"] == str(out)
    written = json.loads((out / "export.json").read_text())
    assert report["card"] == {name: written[name] for name in report["card"]}
    assert report["card"]["threshold"]["shift"] == -0.25


def test_an_opset_that_fails_leaves_nothing(checkpoint: Path, tmp_path: Path) -> None:
    words = [str(checkpoint), "--out", str(tmp_path / "out"), "--opset", "9999"]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, RunError)
    assert "network in opset 9999 of ONNX" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_url_is_a_folder_of_the_store_or_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(checkpoint), "--out", "s3://bucket/store/models/miner", "--store", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, StoreError)
    assert "s3://bucket/store/models/miner: found a URL" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_the_champion_is_exported_by_its_name(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    words = ["champion", "--out", str(tmp_path / "out"), "--store", str(store.root)]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, RunError)
    assert "champion of" in str(done.exception)
    assert "found none" in str(done.exception)
    mine = store.models / "mine"
    shutil.copytree(checkpoint, mine)
    write_pointer(store, Pointer(1, stored_folder(store, mine), checkpoint_digest(mine)))
    folders: list[Path] = []

    def stop(_store: Store, folder: Path, *_: object, **__: object) -> None:
        folders.append(folder)
        raise RunError("enough")

    monkeypatch.setattr("model.export.export.export", stop)
    assert str(CliRunner().invoke(app, words).exception) == "enough"
    assert folders == [mine]
    (mine / "model.safetensors").write_bytes(b"other")
    altered = CliRunner().invoke(app, words).exception
    assert isinstance(altered, RunError)
    assert "champion" in str(altered)
    assert folders == [mine]


def test_the_default_opset_is_that_of_the_exporter() -> None:
    done = CliRunner().invoke(app, ["--help"])
    assert f"default: {OPSET}" in " ".join(done.output.split())
