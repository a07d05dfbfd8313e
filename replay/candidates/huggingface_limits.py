"""Limits on an untrusted model's configuration, checked before anything is allocated for it."""

import re
from collections.abc import Iterator, Mapping, Sized
from typing import Any

from data.errors import RunError

# More than any classifier of images has, or is shown.
_MOST_CLASSES = 2**17
_MOST_PIXELS = 2**12

_LAYERS = re.compile(r"layers|depths?$|blocks")
_SIZES = ("size", "crop_size", "pad_size")


def check_classes(config: Mapping[str, Any], what: str) -> None:
    """Refuse a number of classes that no classifier has: transformers would give each a name.

    Args:
        config: `config.json` as it is written.
        what: names it in an error.

    Raises:
        RunError: too many.
    """
    classes = config.get("num_labels")
    if isinstance(classes, int) and classes > _MOST_CLASSES:
        raise RunError(
            what, found=f"num_labels {classes}", expected=f"at most {_MOST_CLASSES} classes"
        )


def check_layers(config: Mapping[str, Any], tensors: Sized, what: str) -> None:
    """Refuse more layers than there are tensors of weights.

    Args:
        config: all settings, defaults included.
        tensors: of the weights, one entry each.
        what: names the configuration in an error.

    Raises:
        RunError: too many.
    """
    for key, layers in _layer_counts(config):
        if layers > len(tensors):
            raise RunError(
                what,
                found=f"{key} {layers}",
                expected=f"at most the {len(tensors)} tensors of its weights",
            )


def _layer_counts(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """By key, at any depth of nesting: numbers of layers."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _layer_counts(value)
        elif _LAYERS.search(str(key)):
            numbers = value if isinstance(value, list | tuple) else [value]
            yield from ((str(key), number) for number in numbers if type(number) is int)


def check_sides(processor: Any, what: str) -> None:
    """Refuse an image processor that enlarges images beyond reason.

    Args:
        processor: of transformers; its sizes are numbers, or numbers by name.
        what: names it in an error.

    Raises:
        RunError: a side of too many pixels.
    """
    settings: dict[str, Any] = processor.to_dict()
    # timm's processors keep theirs one level down
    sizes = {key: settings.get(key) for key in _SIZES} | (settings.get("data_config") or {})
    for key, size in sizes.items():
        sides = size.values() if isinstance(size, Mapping) else size
        sides = sides if isinstance(size, Mapping | list | tuple) else [size]
        largest = max((side for side in sides if isinstance(side, int)), default=0)
        if largest > _MOST_PIXELS:
            raise RunError(
                what, found=f"{key} {largest}", expected=f"at most {_MOST_PIXELS} pixels a side"
            )
