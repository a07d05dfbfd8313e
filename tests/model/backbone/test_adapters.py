import importlib
import math
import sys
from typing import Any

import peft
import pytest
import torch
from timm.optim._param_groups import param_groups_layer_decay
from torch import nn

from data.errors import RunError
from model.backbone import adapters
from model.backbone.backbone import empty_backbone, load_backbone
from model.backbone.settings import RANDOM, AdapterKind, AdapterSettings, BackboneSettings
from tests.model.backbone.random_backbones import KINDS, adapter_settings, perturbed, random_views

VIEWS = random_views(2, 64)


def plain_model(settings: BackboneSettings) -> Any:
    """timm's own model with the weights of the backbone before its adapters."""
    frozen = BackboneSettings(settings.name, RANDOM, settings.side, settings.seed)
    return load_backbone(frozen, "cpu").model


def with_scales_of_one(model: nn.Module) -> nn.Module:
    """The model with ConvNeXt's layer scales at 1: at their first 1e-6 no block does anything."""
    for name, parameter in model.named_parameters():
        if name.endswith("gamma"):
            nn.init.ones_(parameter)
    return model


def adapted_layers(model: nn.Module) -> dict[str, Any]:
    return {name: layer for name, layer in model.named_modules() if hasattr(layer, "lora_A")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["test_vit", "test_convnext"])
def test_first_adapters_change_no_bit_of_the_features(name: str, kind: AdapterKind) -> None:
    plain = with_scales_of_one(plain_model(adapter_settings(kind, name)))
    backbone = load_backbone(adapter_settings(kind, name), "cpu")
    with_scales_of_one(backbone)
    assert adapted_layers(backbone)
    for mode in (True, False):
        assert torch.equal(backbone.train(mode)(VIEWS), plain(VIEWS))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(backbone.model(VIEWS), plain(VIEWS))


@pytest.mark.parametrize("kind", KINDS)
def test_first_adapters_come_from_the_seed_alone(kind: AdapterKind) -> None:
    torch.manual_seed(4)
    first = load_backbone(adapter_settings(kind), "cpu").state_dict()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = load_backbone(adapter_settings(kind), "cpu").state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first | again)
    other = load_backbone(adapter_settings(kind, seed=1), "cpu").state_dict()
    name = "model.blocks.0.attn.qkv.lora_A.default.weight"
    assert not torch.equal(first[name], other[name])


@pytest.mark.parametrize("kind", ["lora", "dora", "rslora"])
@pytest.mark.parametrize("name", ["test_vit", "test_convnext"])
def test_adapters_are_the_papers_formulas(name: str, kind: AdapterKind) -> None:
    settings = adapter_settings(kind, name)
    backbone = perturbed(settings)
    with_scales_of_one(backbone)
    plain, merged = (with_scales_of_one(plain_model(settings)) for _ in range(2))
    scale = 6.0 / (math.sqrt(4) if kind == "rslora" else 4)
    for layer_name, layer in adapted_layers(backbone.model).items():
        tensors = {key: value.detach() for key, value in layer.named_parameters()}
        up, down = tensors["lora_B.default.weight"], tensors["lora_A.default.weight"]
        weight = tensors["base_layer.weight"] + scale * up @ down
        if kind == "dora":
            magnitude = tensors["lora_magnitude_vector.default.weight"]
            weight = magnitude[:, None] * weight / weight.norm(dim=1, keepdim=True)
        merged.get_submodule(layer_name).weight.data = weight
    features = backbone(VIEWS)
    torch.testing.assert_close(features, merged(VIEWS), rtol=1e-4, atol=1e-4)
    assert (features - plain(VIEWS)).abs().max() > 0.1


@pytest.mark.parametrize("kind", ["lora", "dora", "rslora"])
def test_pefts_own_model_gives_the_same_bits_from_what_is_stored(kind: AdapterKind) -> None:
    settings = adapter_settings(kind)
    backbone = perturbed(settings)
    config = peft.LoraConfig(
        r=4,
        lora_alpha=6,
        use_dora=kind == "dora",
        use_rslora=kind == "rslora",
        target_modules=r"blocks\.\d+\.(attn\.(qkv|proj)|mlp\.(fc1|fc2))",
    )
    oracle = peft.get_peft_model(plain_model(settings), config).eval()
    stored = {f"base_model.model.{key}": value for key, value in backbone.trained_tensors().items()}
    assert stored.keys() == peft.get_peft_model_state_dict(oracle).keys()
    peft.set_peft_model_state_dict(oracle, stored)
    assert torch.equal(oracle(VIEWS), backbone(VIEWS))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["test_vit", "test_convnext"])
def test_every_trained_tensor_has_a_gradient_and_no_other(name: str, kind: AdapterKind) -> None:
    backbone = perturbed(adapter_settings(kind, name)).train()
    backbone(VIEWS).square().sum().backward()
    for key, parameter in backbone.named_parameters():
        assert (parameter.grad is not None and parameter.grad.any()) == parameter.requires_grad, key
    assert any(not parameter.requires_grad for parameter in backbone.parameters())


def test_explora_trains_the_last_blocks_and_adapts_the_others() -> None:
    model = load_backbone(adapter_settings("explora", last_blocks=2), "cpu").model
    assert {name.split(".")[1] for name in adapted_layers(model)} == {"0", "1", "2", "3"}
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert {name for name in trained if ".lora_" not in name} == {
        name for name in model.state_dict() if name.startswith(("blocks.4", "blocks.5", "norm."))
    }


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("vit_small_patch16_dinov3", ["attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"]),
        # its queries', keys' and values' weights are used without a call of the layer
        ("vit_small_patch16_dinov3_qkvb", ["attn.proj", "mlp.fc1", "mlp.fc2"]),
        ("test_mambaout", ["fc1", "fc2"]),
    ],
)
def test_layers_are_the_architectures_own_and_called_ones(name: str, layers: list[str]) -> None:
    backbone = empty_backbone(BackboneSettings(name, trained="adapters"))
    names = list(adapted_layers(backbone.model))
    assert [key for key in names if key.startswith(("blocks.0.", "stages.0."))] == [
        f"{'blocks.0' if 'vit' in name else 'stages.0.blocks.0'}.{layer}" for layer in layers
    ]
    assert len(names) == len(layers) * (12 if "vit" in name else 6)
    views = torch.empty(2, 3, backbone.side, backbone.side, device="meta")
    assert backbone.model(views).shape == (2, backbone.width)


@pytest.mark.parametrize("name", ["test_efficientnet", "test_resnet"])
def test_a_model_without_linear_layers_is_refused(name: str) -> None:
    with pytest.raises(RunError) as raised:
        load_backbone(adapter_settings(name=name), "cpu")
    count = 5 if name == "test_efficientnet" else 4
    assert str(raised.value) == (
        f"adapters of {name}: found no linear layer in the {count} blocks that would get them; "
        "expected a model with some, such as a vision transformer; "
        "train its last blocks, or all of it"
    )


def test_explora_needs_a_block_to_adapt() -> None:
    with pytest.raises(RunError, match="no linear layer in the 0 blocks"):
        load_backbone(adapter_settings("explora", last_blocks=6), "cpu")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["test_vit", "test_convnext"])
def test_layer_decay_treats_adapters_like_their_layers(name: str, kind: AdapterKind) -> None:
    def scales(model: Any) -> dict[str, tuple[float, float]]:
        groups = param_groups_layer_decay(model, weight_decay=0.1, layer_decay=0.5)
        names = {id(parameter): key for key, parameter in model.named_parameters()}
        return {
            names[id(parameter)]: (group["lr_scale"], group["weight_decay"])
            for group in groups
            for parameter in group["params"]
        }

    backbone = load_backbone(adapter_settings(kind, name), "cpu")
    found = scales(backbone.model)
    assert found.keys() == {
        key for key, parameter in backbone.model.named_parameters() if parameter.requires_grad
    }
    wanted = scales(plain_model(adapter_settings(kind, name)).requires_grad_(True))
    for key, (lr_scale, weight_decay) in found.items():
        layer, adapter, _ = key.partition(".lora_")
        assert lr_scale == wanted[f"{layer}.weight" if adapter else layer][0], key
        assert weight_decay == (0.0 if "magnitude" in key else 0.1) or not adapter, key


def test_the_fingerprint_tells_adapters_and_their_scale_apart() -> None:
    def fingerprint(**adapter: Any) -> str:
        return perturbed(adapter_settings(adapter=AdapterSettings(**adapter))).fingerprint

    found = [
        fingerprint(),
        fingerprint(alpha=8.0),
        fingerprint(kind="rslora"),
        load_backbone(adapter_settings(adapter=AdapterSettings()), "cpu").fingerprint,
        load_backbone(adapter_settings(trained="none"), "cpu").fingerprint,
    ]
    assert len(set(found)) == len(found)
    assert fingerprint() == found[0]


def test_a_frozen_backbone_does_not_pay_for_peft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    importlib.reload(adapters)
    assert load_backbone(adapter_settings(trained="none"), "cpu").fingerprint
    with pytest.raises(ImportError):
        load_backbone(adapter_settings(), "cpu")
