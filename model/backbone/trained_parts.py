"""What of a backbone's model is trained: marked, put in training mode, stored and put back."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from data.errors import RunError
from model.backbone.adapters import (
    EXPLORA,
    adapter_tensors,
    add_adapters,
    is_adapted,
    is_adapter,
)
from model.backbone.blocks import blocks_of
from model.backbone.settings import BackboneSettings
from model.backbone.weights import check_fit


def make_trainable(model: Any, settings: BackboneSettings, side: int) -> None:
    """Give a timm model its adapters and checkpointing; gradients are for what is trained only.

    Args:
        model: of timm, with its weights or on the `meta` device.
        settings: what is trained.
        side: of the views in pixels.

    Raises:
        RunError: the model has no such parts, or not so many blocks.
    """
    if settings.trained == "adapters":
        add_adapters(model, settings, side)
    trained = trained_names(model, settings)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trained)
    if settings.checkpointing and not settings.frozen:
        _set_checkpointing(model, settings)


def trained_names(model: Any, settings: BackboneSettings) -> frozenset[str]:
    """Names of the trained tensors in the model's `state_dict`, buffers of trained parts included.

    Raises:
        RunError: the model has no blocks, or fewer than are to be trained.
    """
    names = frozenset(model.state_dict())
    match settings.trained:
        case "none":
            return frozenset()
        case "all":
            return names
        case "last":
            return _last(model, settings)
    adapters = frozenset(filter(is_adapter, names))
    return adapters | _last(model, settings) if settings.adapter.kind == EXPLORA else adapters


def train_trained_parts(model: nn.Module) -> None:
    """Training mode for what is trained as a whole, evaluation mode for all else.

    So neither dropout nor batch statistics move in a frozen part.
    """
    parameters = [parameter.requires_grad for parameter in model.parameters()]
    if is_adapted(model) or (parameters and all(parameters)):
        model.train()
        return
    model.training = False
    for child in model.children():
        train_trained_parts(child)


def stored_tensors(model: Any, settings: BackboneSettings) -> dict[str, torch.Tensor]:
    """The trained tensors, shared with the model, by the names that they are stored under.

    These are timm's, and `peft`'s for adapters (`blocks.0.attn.qkv.lora_A.weight`).
    """
    trained = trained_names(model, settings)
    tensors = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name in trained and not is_adapter(name)
    }
    return tensors | (adapter_tensors(model) if settings.trained == "adapters" else {})


def put_back(model: Any, settings: BackboneSettings, tensors: Mapping[str, torch.Tensor]) -> None:
    """Copy stored tensors into a model of the same settings, all or none.

    Raises:
        RunError: some are missing, left over, or of another shape or type.
    """
    wanted = stored_tensors(model, settings)
    check_fit(tensors, wanted, f"trained weights of {settings.name}")
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(tensors[name])


def _last(model: Any, settings: BackboneSettings) -> frozenset[str]:
    blocks = blocks_of(model, settings.name)
    count = len(blocks.blocks)
    if settings.last_blocks > count:
        raise RunError(
            "backbone setting last_blocks",
            found=f"{settings.last_blocks}",
            expected=f"at most {count}, the blocks of {settings.name}",
        )
    return blocks.last(settings.last_blocks)


def _set_checkpointing(model: Any, settings: BackboneSettings) -> None:
    try:
        model.set_grad_checkpointing(True)
    # timm asserts where a model has none
    except (AssertionError, AttributeError, NotImplementedError) as error:
        raise RunError(
            f"gradient checkpointing of {settings.name}",
            found="none in timm",
            expected="a model with it",
            remedy="train without it",
        ) from error
