"""Adapters of low rank beside the linear layers of a timm model's blocks, by `peft`.

LoRA (Hu et al., arXiv 2106.09685) adds s B A x to W x, with s = alpha / rank, and B = 0 at first;
rsLoRA (Kalajdzievski, arXiv 2312.03732) has s = alpha / sqrt(rank). DoRA (Liu et al., arXiv
2402.09353) scales each row of W + s B A to a trained length, at first that of W's row.

`peft` takes seconds to import, so functions import it: a frozen backbone never pays for it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from data.errors import RunError
from model.backbone.blocks import blocks_of
from model.backbone.settings import AdapterSettings, BackboneSettings

EXPLORA = "explora"


def add_adapters(model: Any, settings: BackboneSettings, side: int) -> None:
    """Put adapters into a timm model, in place; its class, and what it computes, stay the same.

    They are drawn from the processor's generator by `settings.seed` alone.

    Args:
        model: of timm, in any mode, on the processor or the `meta` device.
        settings: name, seed, adapter and, for ExPLoRA, the number of last blocks without adapters.
        side: of the views in pixels.

    Raises:
        RunError: the model's blocks have no linear layers, or all of them are last blocks.
    """
    from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415

    adapter = settings.adapter
    # one pattern: peft would also match a listed name against the ends of other names
    targets = "|".join(map(re.escape, adapted_layers(model, settings, side)))
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,  # type: ignore[arg-type]  # peft divides it by the rank
        lora_dropout=adapter.dropout,
        use_dora=adapter.kind == "dora",
        use_rslora=adapter.kind == "rslora",
        target_modules=targets,
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(settings.seed)
        inject_adapter_in_model(config, model)


def adapted_layers(model: Any, settings: BackboneSettings, side: int) -> list[str]:
    """Names of the linear layers that get adapters: those in the blocks.

    Left out are layers whose weights the model uses without calling them (EVA's fused queries, keys
    and values where they have biases of their own): an adapter there would change nothing.

    Raises:
        RunError: as `add_adapters`.
    """
    blocks = blocks_of(model, settings.name).blocks
    if settings.adapter.kind == EXPLORA:
        blocks = blocks[: -settings.last_blocks]
    inside: frozenset[str] = frozenset().union(*blocks)
    called = _called_modules(model, side)
    names = [
        name
        for name, module in model.named_modules()
        # subclasses are made for another use of the weights, such as nn.MultiheadAttention's
        if type(module) is nn.Linear and f"{name}.weight" in inside and name in called
    ]
    if not names:
        raise RunError(
            f"adapters of {settings.name}",
            found=f"no linear layer in the {len(blocks)} blocks that would get them",
            expected="a model with some, such as a vision transformer",
            remedy="train its last blocks, or all of it",
        )
    return names


def adapter_tensors(model: Any) -> dict[str, torch.Tensor]:
    """The adapters' tensors, shared with the model, by the names that `peft` stores them under."""
    from peft import get_peft_model_state_dict  # noqa: PLC0415

    tensors: dict[str, torch.Tensor] = get_peft_model_state_dict(model)
    return tensors


def adapter_identity(adapter: AdapterSettings) -> str:
    """What features depend on beside the adapters' tensors: their kind, scale and arithmetic."""
    return f"peft {version('peft')}, {adapter.kind}, alpha {float(adapter.alpha)!r}"


def is_adapter(name: str) -> bool:
    """Whether a name of the model's `state_dict` is that of an adapter's tensor."""
    return ".lora_" in name


def is_adapted(module: nn.Module) -> bool:
    """Whether a module is a linear layer with its adapter."""
    return hasattr(module, "lora_A")


def _called_modules(model: Any, side: int) -> set[str]:
    """Names of the modules that a forward calls; nothing is computed or allocated."""
    called: set[str] = set()
    device = next(model.parameters()).device
    with _hooks(model, called), torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
        model(torch.empty(1, 3, side, side, device=device))
    return called


@contextmanager
def _hooks(model: nn.Module, called: set[str]) -> Iterator[None]:
    """Add the name of each module that is called to a set; the model is in evaluation mode."""
    training = model.training
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: called.add(name))
        for name, module in model.named_modules()
    ]
    model.eval()
    try:
        yield
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
