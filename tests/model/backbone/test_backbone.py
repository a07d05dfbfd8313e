from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import timm
import torch

from data.errors import RunError
from model.backbone.backbone import Backbone, backbone_sizes, load_backbone
from model.backbone.batch_size import MemorySettings
from model.backbone.settings import RANDOM, BackboneSettings
from model.network.settings import Precision
from tests.model.backbone.random_backbones import VIT, random_views


@pytest.mark.parametrize(
    "name", ["test_vit", "test_vit2", "test_resnet", "test_convnext", "test_efficientnet"]
)
def test_any_name_gives_timms_own_pooled_features(name: str) -> None:
    backbone = load_backbone(BackboneSettings(name, RANDOM), "cpu")
    torch.manual_seed(0)
    plain = timm.create_model(name, num_classes=0).eval()
    with torch.no_grad():
        expected = plain(random_views(2, backbone.side))
    torch.testing.assert_close(backbone(random_views(2, backbone.side)), expected)
    assert expected.shape == (2, backbone.width)
    data: Any = timm.data
    config = data.resolve_model_data_config(plain)
    assert (backbone.views.side, backbone.side) == (config["input_size"][-1],) * 2
    assert (backbone.views.mean, backbone.views.std) == (config["mean"], config["std"])


def test_the_largest_is_1280_wide_and_known_without_its_memory() -> None:
    sizes = backbone_sizes(BackboneSettings("vit_huge_plus_patch16_dinov3"))
    assert (sizes.width, sizes.side, sizes.patch) == (1280, 256, 16)
    assert sizes.parameters > 840e6


def test_a_side_must_divide_by_the_patch() -> None:
    with pytest.raises(RunError) as raised:
        backbone_sizes(BackboneSettings("vit_small_patch16_dinov3", side=518))
    assert str(raised.value) == (
        "side of vit_small_patch16_dinov3: found 518 pixels, patches of 16; "
        "expected a multiple of its patch, such as 512 or 528"
    )
    assert backbone_sizes(BackboneSettings("vit_small_patch14_dinov2", side=518)).patch == 14


def test_models_of_fixed_size_are_made_for_the_side() -> None:
    backbone = load_backbone(BackboneSettings("test_vit", RANDOM, side=96), "cpu")
    assert backbone(random_views(2, 96)).shape == (2, backbone.width)
    assert load_backbone(BackboneSettings("test_resnet", RANDOM, side=50), "cpu").side == 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vit_smal_patch16_dino3", "such as vit_small_patch16_dinov3"),
        ("test_vit.nonsense", "such as .*test_vit.r160_in1k"),
        ("hf-hub:someone/something", "no such model in timm"),
        ("local-dir:/etc", "no such model in timm"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(name: str, words: str) -> None:
    with pytest.raises(RunError, match=words):
        load_backbone(BackboneSettings(name, RANDOM))


def test_random_weights_come_from_the_seed_alone(vit: Backbone) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = load_backbone(VIT, "cpu")
    assert torch.equal(before, torch.get_rng_state())
    assert again.fingerprint == vit.fingerprint
    assert torch.equal(again(random_views(1)), vit(random_views(1)))
    other = load_backbone(BackboneSettings("test_vit", RANDOM, seed=1), "cpu")
    assert other.fingerprint != vit.fingerprint


def test_the_fingerprint_tells_sides_and_every_weight_apart(vit: Backbone) -> None:
    assert load_backbone(BackboneSettings("test_vit", RANDOM, 96)).fingerprint != vit.fingerprint
    trained = load_backbone(BackboneSettings("test_vit", RANDOM, trained="all"), "cpu")
    before = trained.fingerprint
    with torch.no_grad():
        trained.model.norm.weight[3] += 1e-6
    assert trained.fingerprint != before


def test_a_frozen_backbone_never_trains(vit: Backbone) -> None:
    assert not vit.train().training
    assert not any(parameter.requires_grad for parameter in vit.parameters())
    assert not vit(random_views(1)).requires_grad
    trained = load_backbone(BackboneSettings("test_vit", RANDOM, trained="all"), "cpu")
    assert trained.training
    assert trained(random_views(1)).requires_grad
    assert not trained.features(random_views(1)).requires_grad
    assert trained.training


def test_features_do_not_depend_on_parts_beyond_1e_5(vit: Backbone) -> None:
    wanted = vit.features(random_views(7))
    for most in (1, 2, 3, 6):
        features = vit.features(random_views(7), MemorySettings(most=most))
        torch.testing.assert_close(features, wanted, rtol=1e-5, atol=1e-5)
    assert vit.features(random_views(0)).shape == (0, vit.width)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["test_vit", "test_resnet"])
def test_features_are_those_of_its_precision_whatever_is_around(
    name: str, precision: Precision
) -> None:
    """Timm's model in float32, or under autocast, and nothing of the caller's."""
    backbone = load_backbone(BackboneSettings(name, RANDOM, precision=precision), "cpu")
    views = random_views(4, backbone.side)
    seen = views.contiguous(memory_format=torch.channels_last)
    lowered = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
    with torch.no_grad(), lowered:
        expected = backbone.model(seen).float()
    around: list[AbstractContextManager[object]] = [
        nullcontext(),
        torch.autocast("cpu", torch.bfloat16),
        torch.autocast("cpu", enabled=False),
    ]
    torch.set_float32_matmul_precision("medium")
    try:
        for context in around:
            with context:
                assert torch.equal(backbone(views), expected)
                assert torch.equal(backbone.features(views), expected)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert expected.dtype == torch.float32


def test_another_precision_is_another_backbone(vit: Backbone) -> None:
    rounded = load_backbone(replace(VIT, precision="bf16"), "cpu")
    assert rounded.fingerprint != vit.fingerprint
    exact, near = vit(random_views(4)), rounded(random_views(4))
    assert 1e-5 < (exact - near).norm() / exact.norm() < 5e-2
    assert rounded.cost.peak(8) < vit.cost.peak(8)
    rounded.check_precision("bf16")
    with pytest.raises(RunError) as raised:
        rounded.check_precision("fp32")
    assert str(raised.value) == (
        "precision of test_vit: found bf16; expected fp32, the precision of the model on it"
    )


@pytest.mark.slow
def test_the_largest_runs() -> None:
    backbone = load_backbone(BackboneSettings("vit_huge_plus_patch16_dinov3", RANDOM, side=64))
    features = backbone.features(random_views(2, 64)).cpu()
    assert features.shape == (2, 1280)
    assert np.isfinite(features.numpy()).all()
