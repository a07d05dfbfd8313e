from pathlib import Path

import huggingface_hub.constants
import pytest
import torch

from model.backbone.backbone import Backbone, load_backbone
from model.backbone.batch_size import ForwardCost
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from tests.model.checkpoint.checkpoint_on_vit import BACKBONE, SETTINGS, a_model


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(autouse=True)
def cost_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds for every backbone loaded else; `test_backbone` has what it is worth."""
    monkeypatch.setattr("model.backbone.backbone.forward_cost", lambda *_: ForwardCost(0, 2**20))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone(BackboneSettings(BACKBONE, RANDOM, seed=3), "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, backbone: Backbone) -> Path:
    folder = tmp_path_factory.mktemp("models") / "mine"
    training = {"trained": ["scorer"], "metadata": True}
    save_checkpoint(folder, a_model(), card_of(SETTINGS, backbone, training))
    return folder
