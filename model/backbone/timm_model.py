"""timm's models without a classifier: made for a side, with random weights or a file's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import timm
import torch

from data.errors import RunError
from model.backbone.settings import BackboneSettings
from model.backbone.weights import Tensors, classifier_classes, mismatch


def data_config(model: Any) -> dict[str, Any]:
    """The images that the model was trained on: `input_size` (3, H, W), `mean`, `std` of 0..1."""
    data: Any = timm.data
    config: dict[str, Any] = data.resolve_model_data_config(model)
    return config


def patch_side(model: Any) -> int | None:
    """Side of the model's patches in pixels; None for one that is convolutional throughout."""
    patch_size = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    if patch_size is None:
        return None
    return int(patch_size if isinstance(patch_size, int) else patch_size[-1])


def create_model(name: str, side: int, **options: Any) -> Any:
    """The model of timm; `img_size` is given only where the model depends on the side."""
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if config is not None and config.fixed_input_size:
        options["img_size"] = side
    return timm.create_model(name, **{"pretrained": False, "num_classes": 0} | options)


def random_model(settings: BackboneSettings, side: int) -> Any:
    """The model with weights drawn from the settings' seed."""
    # Of the processor's generator alone: a seed gives the same weights with and without CUDA.
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(settings.seed)  # manual_seed would seed CUDA too
        return create_model(settings.name, side)


def model_with_weights(settings: BackboneSettings, side: int, tensors: Tensors) -> Any:
    """The model with these tensors, every one of which it must want, and no others.

    timm's own conversion of checkpoints runs on them (older names, positions of another side). The
    model first gets a classifier if the file has one, for timm checks nothing where they differ.
    """
    classes = classifier_classes(settings.name, tensors)
    given = dict(tensors)
    overlay = {"state_dict": tensors, "num_classes": classes}
    try:
        model = create_model(
            settings.name,
            side,
            pretrained=True,
            num_classes=classes,
            pretrained_cfg_overlay=overlay,
        )
    # A checkpoint's conversion may trip over anything in a file of another model.
    except Exception as error:
        with torch.device("meta"):
            wanted = create_model(settings.name, side, num_classes=classes).state_dict()
        words = " ".join(str(error).split())
        raise RunError(
            f"weights of {settings.name}",
            found=f"{len(given)} tensors: {mismatch(given, wanted) or words}",
            expected=f"the model's {len(wanted)}",
            remedy="name the model that the file was saved from",
        ) from error
    # else the settings would keep the file's tensors in memory
    model.pretrained_cfg["state_dict"] = None
    if classes:
        model.reset_classifier(0)
    return model


@contextmanager
def as_one_line(what: str) -> Iterator[None]:
    """What timm raises on a side that a model does not take, as one line."""
    try:
        yield
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise RunError(what, found=words, expected="a model of square views") from error
