import pickle
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from huggingface_hub.errors import EntryNotFoundError
from safetensors.torch import save_file

from data.errors import RunError
from model.backbone import weights as backbone_weights
from model.backbone.backbone import load_backbone
from model.backbone.settings import BackboneSettings
from tests.model.backbone.random_backbones import random_views

Tensors = dict[str, torch.Tensor | None]


def saved(path: Path, name: str = "test_vit", changes: Tensors | None = None) -> str:
    tensors = timm.create_model(name).state_dict() | (changes or {})
    save_file({key: tensor for key, tensor in tensors.items() if tensor is not None}, path)
    return str(path)


@pytest.mark.parametrize("classifier", [True, False])
def test_a_local_file_is_loaded_whole_with_or_without_its_classifier(
    tmp_path: Path, classifier: bool
) -> None:
    model: Any = timm.create_model("test_vit", num_classes=7 if classifier else 0).eval()
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    backbone = load_backbone(BackboneSettings("test_vit", str(tmp_path / "w.safetensors")), "cpu")
    model.reset_classifier(0)
    with torch.no_grad():
        assert torch.equal(backbone(random_views(2)), model(random_views(2)))
    assert not backbone.model.pretrained_cfg["state_dict"]


def test_positions_are_resampled_to_another_side(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors")
    backbone = load_backbone(BackboneSettings("test_vit", path, side=96), "cpu")
    assert backbone(random_views(1, 96)).isfinite().all()


@pytest.mark.parametrize("suffix", ["bin", "pt", "pth", "pkl"])
def test_pickled_weights_are_never_opened(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(RunError, match=r"pickled weights can run code.*save_file"):
        load_backbone(BackboneSettings("test_vit", str(path)))


def test_a_pickle_under_a_safe_name_is_no_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    torch.save({"a": torch.ones(1)}, path)
    with pytest.raises(RunError, match="expected a whole safetensors file"):
        load_backbone(BackboneSettings("test_vit", str(path)))
    whole = Path(saved(tmp_path / "w.safetensors"))
    whole.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(RunError, match="expected a whole safetensors file"):
        load_backbone(BackboneSettings("test_vit", str(whole)))
    with pytest.raises(RunError, match="no such file"):
        load_backbone(BackboneSettings("test_vit", str(tmp_path / "none.safetensors")))


def test_what_a_file_lacks_or_has_too_much_is_named(tmp_path: Path) -> None:
    wrong: Tensors = {
        "norm.weight": None,
        "surplus": torch.ones(1),
        "norm.bias": torch.ones(3),
    }
    path = saved(tmp_path / "w.safetensors", changes=wrong)
    with pytest.raises(RunError) as raised:
        load_backbone(BackboneSettings("test_vit", path))
    words = str(raised.value)
    assert "1 missing (norm.weight)" in words
    assert "1 not the model's (surplus)" in words
    assert "norm.bias (3,) for (64,)" in words


def test_another_models_file_is_refused_naming_both(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", "test_resnet")
    with pytest.raises(RunError, match=r"found 92 tensors: 78 missing .*; expected the model's 78"):
        load_backbone(BackboneSettings("test_vit", path))


def test_hub_weights_are_safetensors_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def download(repository: str, file: str, revision: str | None = None) -> str:
        asked.append((repository, file))
        raise EntryNotFoundError("404")

    monkeypatch.setattr(backbone_weights, "hf_hub_download", download)
    with pytest.raises(RunError, match=r"no \.safetensors file in timm/test_vit\.r160_in1k"):
        load_backbone(BackboneSettings("test_vit"))
    assert asked == [("timm/test_vit.r160_in1k", "model.safetensors")]
    path = saved(tmp_path / "model.safetensors")
    monkeypatch.setattr(backbone_weights, "hf_hub_download", lambda *_, **__: path)
    from_hub = load_backbone(BackboneSettings("test_vit"), "cpu")
    assert from_hub.fingerprint == load_backbone(BackboneSettings("test_vit", path)).fingerprint


def test_no_network_and_no_weights_are_one_line_each() -> None:
    with pytest.raises(RunError, match=r"no way to the hub.*local \.safetensors file"):
        load_backbone(BackboneSettings("test_vit"))
    with pytest.raises(RunError, match="none on the hub that timm knows"):
        load_backbone(BackboneSettings("test_maxvit"))
