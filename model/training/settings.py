"""Settings of a training; in a file of their own, so that the command line need not load torch."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from data.errors import RunError
from replay.settings import Arithmetic

Precision = Literal["auto", "float32", "bfloat16"]

AUTO: Precision = "auto"

_SHARES = ("validation", "warmup")
_VIEWS = 12
_POSITIVE = ("lr", "clip", "backbone_lr_scale")


@dataclass(frozen=True)
class TrainSettings:
    """What a training does; the model's parts have settings of their own.

    Of every row `images` challenges are
    drawn, one of which each of the `epochs` sees; `validation` is the share of rows (0..1) that
    validate. AdamW's learning rate `lr` rises over the share `warmup` of all steps and falls as a cosine; that
    of a trained backbone is `backbone_lr_scale` times as high. `weight_decay` pulls matrices to 0, `clip`
    bounds the gradient's norm. `views` of the 12 are run through a trained backbone at a step, the
    global one and others drawn anew each time. With `metadata` the model is fed what is logged
    beside an image, the label's leak included. A step computes in `precision`: float32, bfloat16
    (weights and sums stay float32), or auto, bfloat16 on a GPU that has it. `seed` draws split,
    challenges, order, first weights and what training drops.

    Raises:
        RunError: a value out of its range.
    """

    images: int = 4
    validation: float = 0.15
    epochs: int = 20
    batch_size: int = 32
    lr: float = 1e-3
    backbone_lr_scale: float = 1.0
    warmup: float = 0.1
    weight_decay: float = 0.05
    clip: float = 1.0
    views: int = 12
    metadata: bool = False
    precision: Precision = AUTO
    seed: int = 0
    arithmetic: Arithmetic = Arithmetic.AVX2

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if one.type is int and value < (one.name != "seed"):
                _refuse(one.name, value, "a whole number of at least 1 (the seed: 0)")
            if one.name in _SHARES and not 0 < value < 1:
                _refuse(one.name, value, "a share between 0 and 1")
            if one.name in _POSITIVE and not value > 0:
                _refuse(one.name, value, "a number above 0")
        if self.weight_decay < 0:
            _refuse("weight_decay", self.weight_decay, "a number of at least 0")
        if self.precision not in get_args(Precision):
            _refuse("precision", self.precision, ", ".join(get_args(Precision)))
        if self.views > _VIEWS:
            _refuse("views", self.views, f"at most {_VIEWS}")


def _refuse(name: str, value: object, expected: str) -> None:
    raise RunError(f"training setting {name}", found=repr(value), expected=expected)
