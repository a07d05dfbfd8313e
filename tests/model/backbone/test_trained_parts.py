import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from data.errors import RunError
from model.backbone.backbone import Backbone, empty_backbone, load_backbone
from model.backbone.features import open_cache
from model.backbone.settings import RANDOM, AdapterSettings, BackboneSettings, Trained
from model.network.settings import Precision
from tests.model.backbone.random_backbones import (
    KINDS,
    adapter_settings,
    perturbed,
    random_views,
    trained_one_step,
)

VIEWS = random_views(3, 64)


def settings_of(name: str, trained: Trained, **others: Any) -> BackboneSettings:
    return BackboneSettings(name, RANDOM, 64, trained=trained, **others)


SETTINGS = [
    settings_of("test_vit", "none"),
    settings_of("test_vit", "last"),
    settings_of("test_vit", "all"),
    settings_of("test_resnet", "last", last_blocks=1),
    settings_of("test_resnet", "all"),
    *(adapter_settings(kind) for kind in KINDS),
    adapter_settings("explora", "test_convnext"),
]


def words(settings: BackboneSettings) -> str:
    kind = settings.adapter.kind if settings.trained == "adapters" else ""
    return f"{settings.name} {settings.trained} {kind}"


def copied(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("settings", SETTINGS, ids=words)
def test_what_is_stored_is_what_was_trained_and_makes_the_same_backbone(
    settings: BackboneSettings,
) -> None:
    start = load_backbone(settings, "cpu")
    trained = start if settings.frozen else trained_one_step(settings)
    stored = copied(trained.trained_tensors())
    moved = {
        name
        for name, tensor in trained.state_dict().items()
        if not torch.equal(tensor, start.state_dict()[name])
    }
    # peft's names leave out the adapter's and, of DoRA's magnitudes, the last one
    plain = {name.removeprefix("model.").replace(".default", "") for name in moved}
    assert {name.replace("magnitude_vector.weight", "magnitude_vector") for name in plain} <= set(
        stored
    )
    start.load_trained(stored)
    assert same(start.state_dict(), trained.state_dict())
    assert start.fingerprint == trained.fingerprint
    assert torch.equal(start.eval()(VIEWS), trained.eval()(VIEWS))


@pytest.mark.parametrize("kind", ["dora", "explora"])
def test_adapters_on_a_files_weights_make_the_same_backbone(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(
        load_backbone(settings_of("test_vit", "none", seed=4), "cpu").model.state_dict(), path
    )
    settings = replace(adapter_settings(kind), weights=str(path))
    trained = perturbed(settings)
    again = load_backbone(settings, "cpu").eval()
    again.load_trained(copied(trained.trained_tensors()))
    assert torch.equal(again(VIEWS), trained(VIEWS))
    assert again.fingerprint == trained.fingerprint
    from_a_seed = load_backbone(replace(settings, weights=RANDOM, seed=4), "cpu").eval()
    from_a_seed.load_trained(trained.trained_tensors())
    assert from_a_seed.fingerprint == trained.fingerprint


@pytest.mark.parametrize("settings", SETTINGS, ids=words)
def test_only_what_is_trained_has_gradients_and_is_stored(settings: BackboneSettings) -> None:
    backbone = load_backbone(settings, "cpu")
    trained = {p.data_ptr() for p in backbone.parameters() if p.requires_grad}
    buffers = {buffer.data_ptr() for buffer in backbone.buffers()}
    stored = {tensor.data_ptr() for tensor in backbone.trained_tensors().values()}
    assert stored - buffers == trained
    assert bool(trained) != settings.frozen
    everything = {tensor.data_ptr() for tensor in backbone.state_dict().values()}
    assert (stored == everything) == (settings.trained == "all")


def test_a_copy_such_as_an_average_of_weights_has_its_own_tensors() -> None:
    backbone = perturbed(adapter_settings("explora"))
    average = copy.deepcopy(backbone)
    assert same(average.trained_tensors(), backbone.trained_tensors())
    with torch.no_grad():
        for parameter in backbone.parameters():
            parameter.add_(1)
    assert not any(
        torch.equal(tensor, average.trained_tensors()[name])
        for name, tensor in backbone.trained_tensors().items()
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"norm.weight": None}, r"1 missing \(norm.weight\)"),
        ({"head.bias": torch.zeros(1)}, r"1 not the model's \(head.bias\)"),
        ({"norm.bias": torch.zeros(3)}, r"1 of another shape \(norm.bias \(3,\) for \(64,\)\)"),
        (
            {"norm.bias": torch.zeros(64, dtype=torch.float16)},
            r"1 of another type \(norm.bias torch.float16 for torch.float32\)",
        ),
        (
            {"blocks.0.attn.qkv.lora_A.weight": torch.zeros(5, 64)},
            r"blocks.0.attn.qkv.lora_A.weight \(5, 64\) for \(4, 64\)",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named_and_change_nothing(
    change: dict[str, torch.Tensor | None], found: str
) -> None:
    backbone = load_backbone(adapter_settings("explora"), "cpu")
    before = copied(backbone.state_dict())
    tensors = perturbed(adapter_settings("explora")).trained_tensors()
    given = {name: tensor for name, tensor in (tensors | change).items() if tensor is not None}
    with pytest.raises(RunError, match=found):
        backbone.load_trained(given)
    assert same(backbone.state_dict(), before)


def test_a_frozen_one_keeps_its_adapters_and_serves_a_cache(tmp_path: Path) -> None:
    backbone = perturbed(adapter_settings("dora"))
    features, tensors = backbone(VIEWS).detach(), copied(backbone.trained_tensors())
    with pytest.raises(RunError, match="a backbone in training"):
        open_cache(tmp_path, backbone)
    bare = load_backbone(settings_of("test_vit", "none"), "cpu")
    assert backbone.freeze() is backbone
    assert backbone.frozen
    assert not backbone.train().training
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert torch.equal(backbone(VIEWS), features)
    assert same(backbone.trained_tensors(), tensors)
    assert open_cache(tmp_path, backbone).path != open_cache(tmp_path, bare).path


def test_a_frozen_ones_fingerprint_follows_its_tensors() -> None:
    backbone = load_backbone(adapter_settings(), "cpu").freeze()
    before = backbone.fingerprint
    other = perturbed(adapter_settings())
    backbone.load_trained(other.trained_tensors())
    assert backbone.fingerprint == other.fingerprint != before


def test_batch_statistics_move_in_trained_parts_only() -> None:
    backbone = load_backbone(settings_of("test_resnet", "last", last_blocks=1), "cpu")
    before = copied(dict(backbone.named_buffers()))
    backbone.train()(VIEWS)
    moved = {
        name for name, buffer in backbone.named_buffers() if not torch.equal(buffer, before[name])
    }
    assert moved == {name for name in before if name.startswith("model.layer4.")}
    backbone.eval()
    before = copied(dict(backbone.named_buffers()))
    backbone(VIEWS)
    assert same(dict(backbone.named_buffers()), before)


@pytest.mark.parametrize("place", [0, 5])
def test_dropout_is_drawn_in_trained_blocks_only(place: int) -> None:
    backbone = load_backbone(settings_of("test_vit", "last", last_blocks=1), "cpu")
    backbone.model.blocks[place].mlp.drop2.p = 0.5
    backbone.model.patch_drop = torch.nn.Dropout(0.5)
    backbone.train()
    assert torch.equal(backbone(VIEWS), backbone(VIEWS)) == (place == 0)
    backbone.eval()
    assert torch.equal(backbone(VIEWS), backbone(VIEWS))


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_of_adapters_follows_the_mode_and_that_beside_them_stays_off(kind: Any) -> None:
    backbone = perturbed(adapter_settings(kind, adapter=AdapterSettings(kind, dropout=0.5)))
    assert torch.equal(backbone(VIEWS), backbone(VIEWS))
    assert not torch.equal(backbone.train()(VIEWS), backbone(VIEWS))
    backbone = perturbed(adapter_settings(kind))
    backbone.model.blocks[0].mlp.drop2.p = 0.5
    backbone.train()
    assert torch.equal(backbone(VIEWS), backbone(VIEWS))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["lora", "dora", "explora", "last", "all"])
def test_checkpointing_changes_no_bit_of_the_gradients(kind: Any, precision: Precision) -> None:
    if kind in KINDS:
        settings = adapter_settings(kind, adapter=AdapterSettings(kind, dropout=0.3))
    else:
        settings = settings_of("test_vit", kind)
    settings = replace(settings, last_blocks=3, precision=precision)
    wanted, once = gradients(perturbed(settings))
    found, twice = gradients(perturbed(replace(settings, checkpointing=True)))
    assert (once, twice) == (1, 2)
    assert all(gradient.any() for gradient in wanted.values())
    assert same(found, wanted)


def gradients(backbone: Backbone) -> tuple[dict[str, Any], int]:
    """Gradients of a step's trained parameters, and how often a middle block was computed."""
    calls: list[int] = []
    middle: Any = backbone.train().model.blocks[3]
    middle.register_forward_pre_hook(lambda *_: calls.append(1))
    torch.manual_seed(11)
    backbone(VIEWS).square().sum().backward()
    found = {name: p.grad for name, p in backbone.named_parameters() if p.requires_grad}
    return found, len(calls)


def test_checkpointing_is_refused_where_timm_has_none() -> None:
    settings = BackboneSettings("dla46x_c", trained="all", checkpointing=True)
    with pytest.raises(RunError, match="gradient checkpointing of dla46x_c: found none in timm"):
        empty_backbone(settings)
    assert empty_backbone(replace(settings, trained="none")).frozen


def test_more_last_blocks_than_there_are_are_refused() -> None:
    with pytest.raises(RunError) as raised:
        load_backbone(settings_of("test_vit", "last", last_blocks=7), "cpu")
    assert str(raised.value) == (
        "backbone setting last_blocks: found 7; expected at most 6, the blocks of test_vit"
    )
    every: Backbone = load_backbone(settings_of("test_vit", "last", last_blocks=6), "cpu")
    assert not every.model.pos_embed.requires_grad
