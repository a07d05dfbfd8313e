from pathlib import Path

import huggingface_hub.constants
import pytest

from model.backbone.backbone import Backbone, load_backbone
from tests.model.backbone.random_backbones import VIT


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="module")
def vit() -> Backbone:
    return load_backbone(VIT, "cpu")
