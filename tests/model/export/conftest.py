from pathlib import Path

import huggingface_hub.constants
import pytest
import torch

from data.store import Store
from model.backbone.backbone import load_backbone
from model.backbone.batch_size import ForwardCost
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from model.export.export import ExportReport, ExportSettings, export
from model.export.threshold import ThresholdRequest
from tests.model.checkpoint.checkpoint_on_vit import BACKBONE, SETTINGS, a_model
from tests.model.checkpoint.random_checkpoint import rows
from tests.model.export.exported import TRAINING
from tests.model.export.golden_replays import GoldenReplays, replay_golden_challenges


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(autouse=True)
def cost_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds for every backbone loaded else; `test_backbone` has what it is worth."""
    monkeypatch.setattr("model.backbone.backbone.forward_cost", lambda *_: ForwardCost(0, 2**20))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint on test_vit, with the numbers of a training in its card."""
    folder = tmp_path_factory.mktemp("models") / "mine"
    backbone = load_backbone(BackboneSettings(BACKBONE, RANDOM, seed=3), "cpu")
    card = card_of(SETTINGS, backbone, TRAINING)
    save_checkpoint(folder, a_model(), card, training_rows=rows(0))
    return folder


@pytest.fixture(scope="session")
def report(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    """Its export, with a shift of the logit."""
    out = tmp_path_factory.mktemp("exports") / "miner"
    store = Store(tmp_path_factory.mktemp("empty"))
    return export(store, folder, out, ExportSettings(ThresholdRequest(shift=0.5)))


@pytest.fixture
def exported(report: ExportReport) -> Path:
    """The folder of that export; not to be written to."""
    return Path(report.out)


@pytest.fixture
def network_is_known(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint's network, with that shift, is not converted again: it takes seconds."""
    content = (exported / "streetreplay.onnx").read_bytes()
    monkeypatch.setattr("model.export.export.onnx_content", lambda *_: content)


@pytest.fixture(scope="session")
def golden_replays(tmp_path_factory: pytest.TempPathFactory) -> GoldenReplays:
    """Every golden challenge answered by a checkpoint and by its export without a shift."""
    return replay_golden_challenges(tmp_path_factory.mktemp("golden"))
