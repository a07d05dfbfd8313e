import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from data.errors import RunError
from data.store import Store
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.export import onnx_file
from model.export.detector import StreetReplayDetector
from model.export.export import ExportSettings, export
from model.export.network import ExportedNetwork
from model.export.onnx_file import onnx_content
from model.export.threshold import ThresholdRequest
from tests.conftest import ROOT
from tests.model.backbone.random_backbones import adapter_settings, perturbed
from tests.model.checkpoint.checkpoint_on_vit import BACKBONE, a_model, images
from tests.model.export.exported import save_on, shifted_answers

BOUND = 1e-4


@pytest.fixture
def content(exported: Path) -> bytes:
    return (exported / "streetreplay.onnx").read_bytes()


# `test_network` has every kind of adapter, which are merged before
@pytest.mark.parametrize(
    "settings",
    [
        BackboneSettings("test_vit", RANDOM, seed=3),
        BackboneSettings("test_convnext", RANDOM, 64, seed=3),
        adapter_settings("dora"),
        replace(BackboneSettings("test_resnet", RANDOM, 64, seed=3), trained="all"),
    ],
    ids=lambda settings: f"{settings.name}-{settings.trained}-{settings.adapter.kind}",
)
def test_each_kind_of_backbone_answers_as_its_checkpoint(
    settings: BackboneSettings, store: Store, tmp_path: Path
) -> None:
    folder = save_on(tmp_path / "mine", perturbed(settings), keep_views=8)
    asked = ExportSettings(ThresholdRequest(shift=0.25))

    report = export(store, folder, tmp_path / "out", asked)

    detector = StreetReplayDetector(config_name=str(tmp_path / "out" / "streetreplay.yaml"))
    pictures = images(6)
    answers = [detector.answer(picture)[0] for picture in pictures]
    np.testing.assert_allclose(answers, shifted_answers(folder, pictures, 0.25), rtol=0, atol=BOUND)
    assert report.card.agreement["bound"] == BOUND
    assert report.card.agreement["probability"] < BOUND


def test_a_checkpoint_in_bf16_is_exported_in_float32(store: Store, tmp_path: Path) -> None:
    backbone = load_backbone(
        BackboneSettings(BACKBONE, RANDOM, 64, seed=3, precision="bf16"), "cpu"
    )
    folder = save_on(tmp_path / "mine", backbone, precision="bf16")

    report = export(store, folder, tmp_path / "out")

    assert report.card.checkpoint["precision"] == "bf16"
    assert report.card.agreement["bound"] == 0.05
    model = onnx.load_from_string((tmp_path / "out" / "streetreplay.onnx").read_bytes())
    kinds = {onnx.TensorProto.DataType.Name(weight.data_type) for weight in model.graph.initializer}
    assert "FLOAT" in kinds
    assert not kinds & {"BFLOAT16", "FLOAT16"}


def test_the_file_is_whole_and_names_nothing_of_this_machine(content: bytes) -> None:
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    [opset] = [entry.version for entry in model.opset_import if entry.domain == ""]
    assert opset == onnx_file.OPSET
    assert not [weight for weight in model.graph.initializer if weight.external_data]
    [pixels] = onnxruntime.InferenceSession(content).get_inputs()
    assert (pixels.name, pixels.type) == ("pixels", "tensor(uint8)")
    assert pixels.shape[2] == 3
    assert all(isinstance(side, str) for side in pixels.shape[:2])
    for words in (str(ROOT), "site-packages", "stack_trace"):
        assert words.encode() not in content, words


def test_the_same_network_gives_the_same_bytes(content: bytes) -> None:
    backbone = load_backbone(BackboneSettings(BACKBONE, RANDOM, seed=3), "cpu")
    again = onnx_content(ExportedNetwork(backbone, a_model(), shift=0.5))
    assert hashlib.sha256(again).digest() == hashlib.sha256(content).digest()


class Means(torch.nn.Module):
    """The smallest network that has an export's input and outputs."""

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values = pixels.float()
        return values.mean(), values.mean((0, 1))


@pytest.mark.parametrize("opset", [1, 9999])
def test_an_opset_that_fails_is_one_line(opset: int) -> None:
    assert onnx_content(Means())
    with pytest.raises(RunError, match=f"network in opset {opset} of ONNX: found ") as refusal:
        onnx_content(Means(), opset)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500


def test_a_network_that_one_file_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "_MOST_BYTES", 100)
    with pytest.raises(RunError, match="GiB of weights; expected less than 2 GiB"):
        onnx_content(torch.nn.Linear(10, 10))
