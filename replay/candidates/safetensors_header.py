"""Shapes of a model's weights, read from safetensors headers before anything is allocated.

A configuration of a few bytes can ask for any number of neurons. The header of the weights says how
many there are, and a model on PyTorch's `meta` device has shapes but takes no memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch.nn.modules.module import register_module_parameter_registration_hook

from data.errors import RunError

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of the tensors of some files, by name."""

# Parameters are registered again where they are tied or replaced while a model is built.
_SPARE = 1000
# What may be missing before a loader says it more clearly: 64 MiB in float32.
_FEW_NUMBERS = 2**24
_SHOWN = 3


def header_shapes(files: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors in safetensors files; no tensor is read.

    Raises:
        safetensors.SafetensorError: a file is damaged or none.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        with safe_open(file, framework="pt") as opened:
            names = opened.keys()
            shapes |= {name: tuple(opened.get_slice(name).get_shape()) for name in names}
    return shapes


@contextmanager
def on_meta(shapes: Shapes, what: str) -> Iterator[None]:
    """Models made in this context take no memory, and may not have many more layers than weights.

    Args:
        shapes: of the weights that the model is to get.
        what: names them in an error.

    Raises:
        RunError: the model has far more layers than weights.
    """
    most, registered = 2 * len(shapes) + _SPARE, 0

    def count(_module: torch.nn.Module, _name: str, _parameter: object) -> None:
        nonlocal registered
        registered += 1
        if registered > most:
            raise RunError(
                what,
                found=f"{len(shapes)} tensors",
                expected=f"more than {most}, which the configuration asks for",
            )

    hook: Any = register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            yield
    finally:
        hook.remove()


def check_shapes(model: torch.nn.Module, shapes: Shapes, what: str) -> None:
    """Refuse weights of other shapes than the model's, or of far fewer numbers than it has.

    Names that only one side has may be older ones, which a loader knows how to convert.

    Args:
        model: on the `meta` device.
        shapes: of the weights.
        what: names the weights in an error.

    Raises:
        RunError: what differs, with both sides.
    """
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    different = [
        f"{name} {shapes[name]} for {shape}"
        for name, shape in own.items()
        if shapes.get(name, shape) != shape
    ]
    if different:
        more = f" and {len(different) - _SHOWN} more" if len(different) > _SHOWN else ""
        raise RunError(
            what,
            found=f"other shapes: {', '.join(different[:_SHOWN])}{more}",
            expected="those that the configuration asks for",
        )
    held = sum(prod(shape) for shape in shapes.values())
    asked = sum(parameter.numel() for parameter in model.parameters())
    if asked > held + _FEW_NUMBERS:
        raise RunError(
            what,
            found=f"{held:,} numbers",
            expected=f"{asked:,}, which the configuration asks for",
        )
