import pickle
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch

from data.store import Store
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from model.export.export import ExportReport, ExportSettings, export
from model.export.threshold import ThresholdRequest
from tests.made_once import made_once
from tests.model.checkpoint.checkpoint_on_vit import BACKBONE, SETTINGS, a_model
from tests.model.checkpoint.random_checkpoint import rows
from tests.model.export.exported import TRAINING
from tests.model.export.golden_replays import (
    GoldenReplays,
    golden_replays_in,
    replay_golden_challenges,
)
from tests.model.optimization.known_costs import costs_are_known


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(autouse=True, scope="package")
def cost_is_known() -> Iterator[None]:
    """Seconds for every backbone loaded else; `test_backbone` has what it is worth."""
    with costs_are_known():
        yield


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

    def make(world: Path) -> None:
        shifted = ExportSettings(ThresholdRequest(shift=0.5))
        with costs_are_known():
            made = export(Store(world / "empty"), folder, world / "exports" / "miner", shifted)
        (world / "report.pickle").write_bytes(pickle.dumps(made))

    world = made_once(tmp_path_factory, "exported", make)
    made: ExportReport = pickle.loads((world / "report.pickle").read_bytes())  # noqa: S301
    return made


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
    return golden_replays_in(
        made_once(tmp_path_factory, "golden-replays", replay_golden_challenges)
    )
