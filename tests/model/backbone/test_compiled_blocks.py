"""Needs a C++ compiler, g++ or clang++: a processor's blocks are compiled here as a GPU's are."""

from copy import deepcopy

import pytest
import torch

from model.backbone import compiled_blocks
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.compiled_blocks import compile_blocks, compiles_blocks, uncompiled
from model.backbone.settings import RANDOM, BackboneSettings, Trained
from tests.model.backbone.random_backbones import random_views

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def compiled_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_blocks, "compiles_blocks", lambda *_: True)


def loaded(trained: Trained = "none") -> Backbone:
    return load_backbone(BackboneSettings("test_vit", RANDOM, 64, trained=trained), CPU)


def blocks_compiled(backbone: Backbone) -> list[bool]:
    return [block._compiled_call_impl is not None for block in backbone.model.blocks]


def test_a_processor_and_float32_compile_nothing() -> None:
    # as imported, before the fixture's change
    assert not compiles_blocks("bf16", CPU)
    assert not compiles_blocks("fp32", torch.device("cuda"))


def test_compiled_blocks_give_the_same_features_in_batches_of_any_size() -> None:
    backbone = loaded()
    views = random_views(5, 64)
    with uncompiled():
        expected = backbone.features(views)
    assert not any(blocks_compiled(backbone))
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    found = [backbone.features(part) for part in (views, views[:2], views[2:])]
    assert all(blocks_compiled(backbone))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] - before == 1
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.cat(found[1:]), expected, rtol=1e-4, atol=1e-5)


def test_names_copies_and_costs_are_those_of_plain_blocks() -> None:
    plain, compiled = loaded(), loaded()
    compiled(random_views(2, 64))
    assert list(compiled.state_dict()) == list(plain.state_dict())
    assert compiled.fingerprint == plain.fingerprint
    with uncompiled():
        plain_cost = plain.cost
    assert compiled.cost == plain_cost
    assert not any(blocks_compiled(deepcopy(compiled)))


# dynamo looks at the gradient of what enters a block
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
@pytest.mark.parametrize("trained", ["all", "adapters"])
def test_gradients_go_through_compiled_blocks(trained: Trained) -> None:
    gradients = []
    for context in (uncompiled, torch.enable_grad):
        backbone = loaded(trained).train()
        with context():
            torch.autograd.backward(backbone(random_views(3, 64)).square().sum())
        gradients.append(
            [weight.grad for weight in backbone.parameters() if weight.grad is not None]
        )
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-4)


def test_a_model_without_like_blocks_stays_as_it_is() -> None:
    model = torch.nn.Module()
    model.blocks = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    compile_blocks(model, "bf16", CPU)
    assert all(block._compiled_call_impl is None for block in model.blocks)
