"""Settings of a training; in a file of their own, so that the command line need not load torch."""

from dataclasses import dataclass
from typing import Literal, get_args

from data.errors import RunError
from replay.settings import Arithmetic

Precision = Literal["auto", "float32", "bfloat16"]

AUTO: Precision = "auto"

_VIEWS = 12


@dataclass(frozen=True)
class TrainSettings:
    """Hyperparameters of a training; the model's parts have settings of their own.

    images: challenges drawn of each row; an epoch sees one of them.
    validation: share of the rows (0..1) in the validation split.
    batch_size: challenges in a step.
    lr: AdamW's highest learning rate; it rises in a line over the share `warmup` of all steps and
        falls as a cosine.
    backbone_lr_scale: learning rate of a trained backbone as a multiple of `lr`.
    weight_decay: of matrices; vectors do not decay.
    clip: largest norm of the gradient.
    views: how many of the 12 views a trained backbone sees at a step, the global one and others
        drawn anew each time.
    metadata: give the model what is logged beside an image, the label's leak included.
    precision: of a step: float32, bfloat16 (weights and sums stay float32), or auto: bfloat16 on a
        GPU that has it.
    seed: of the split, the challenges, their order, the first weights and dropout.
    arithmetic: of the validator's processor.

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
        for name in ("images", "epochs", "batch_size", "views"):
            if getattr(self, name) < 1:
                self._refuse(name, "a whole number of at least 1")
        for name in ("validation", "warmup"):
            if not 0 < getattr(self, name) < 1:
                self._refuse(name, "a share between 0 and 1")
        for name in ("lr", "backbone_lr_scale", "clip"):
            if not getattr(self, name) > 0:
                self._refuse(name, "a number above 0")
        if not self.weight_decay >= 0:
            self._refuse("weight_decay", "a number of at least 0")
        if self.seed < 0:
            self._refuse("seed", "a whole number of at least 0")
        if self.views > _VIEWS:
            self._refuse("views", f"at most {_VIEWS}")
        if self.precision not in get_args(Precision):
            self._refuse("precision", ", ".join(get_args(Precision)))

    def _refuse(self, name: str, expected: str) -> None:
        value = getattr(self, name)
        raise RunError(f"training setting {name}", found=repr(value), expected=expected)
