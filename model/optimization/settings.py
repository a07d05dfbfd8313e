"""Settings of a training's loop, optimiser and losses; imports no torch."""

from dataclasses import dataclass
from typing import Literal

from data.settings import LARGEST_SEED, check_settings, setting

Tracker = Literal["none", "tensorboard", "wandb"]
"""Where metrics go beside the run's folder; `wandb` is the official client's."""

_VIEWS = 12


@dataclass(frozen=True)
class LossSettings:
    """The label's focal loss, and the weights of all losses; a weight of 0 switches one off.

    Raises:
        RunError: a value out of its range.
    """

    gamma: float = setting(2.0, "Focusing of the focal loss; 0 is cross-entropy.", least=0)
    smoothing: float = setting(
        0.1, "Label smoothing: a share spread evenly over the classes.", least=0, below=1
    )
    label: float = setting(
        0.5, "Weight of the focal loss of the label.", flag="--label-loss", above=0
    )
    views: float = setting(
        0.5, "Weight of the focal loss of each view alone.", flag="--view-loss", least=0
    )
    consistency: float = setting(
        0.3,
        "Weight of the divergence of each view's prediction from the gate-weighted mean.",
        flag="--consistency-loss",
        least=0,
    )
    weather: float = setting(
        0.2, "Weight of the loss of the weather head.", flag="--weather-loss", least=0
    )
    scorer: float = setting(
        0.1, "Weight of the loss of the view scorer.", flag="--scorer-loss", least=0
    )

    def __post_init__(self) -> None:
        check_settings(self, "loss")


@dataclass(frozen=True)
class OptimizerSettings:
    """timm's optimiser and cosine schedule, clipping and the moving average of the weights.

    Raises:
        RunError: a value out of its range.
    """

    opt: str = setting("adamw", "Name of timm's optimiser, such as adamw or lion.")
    lr: float = setting(3e-4, "Highest learning rate.", above=0)
    backbone_lr: float | None = setting(
        None, "Highest learning rate of a trained backbone.", unset="that of --lr", above=0
    )
    layer_decay: float | None = setting(
        None,
        "Factor of the backbone's learning rate from each layer to the one below it.",
        unset="the same for all layers",
        above=0,
        most=1,
    )
    weight_decay: float = setting(0.01, "Weight decay of matrices.", least=0)
    warmup_steps: int | None = setting(
        None, "Steps of linear warm-up.", unset="500, at most a tenth of all", least=0
    )
    clip_grad: float = setting(1.0, "Largest norm of the gradient.", above=0)
    opt_betas: tuple[float, ...] | None = setting(
        None,
        "Decays of the optimiser's means.",
        unset="0.9 0.98 of adamw, else the optimiser's own",
        least=0,
        below=1,
    )
    ema_decay: float = setting(
        0.999, "Decay of the moving average of the weights; 0 keeps none.", least=0, below=1
    )

    def __post_init__(self) -> None:
        check_settings(self, "optimizer")


@dataclass(frozen=True)
class TrainSettings:
    """The loop: epochs, batches, early stopping, and where metrics go.

    Raises:
        RunError: a value out of its range.
    """

    epochs: int = setting(30, "Passes over the rows, at most.", least=1)
    patience: int = setting(
        5, "Epochs without a better validation MCC, or the same at less loss, that end it.", least=1
    )
    batch_size: int = setting(
        32, "Challenges in one forward and backward, over all processes.", least=1
    )
    accumulation_steps: int = setting(
        2, "Batches whose gradients are summed for a step of the optimiser.", least=1
    )
    views: int = setting(
        _VIEWS,
        "Views that the model sees at a step: the global one, and others drawn anew.",
        least=1,
        most=_VIEWS,
    )
    compile: bool = setting(False, "Compile the model with torch.compile.")
    tracker: Tracker = setting("none", "Where metrics go beside the run's folder.")
    seed: int = setting(
        0,
        "Seed of challenges, order and dropout; the split and the first weights have their own.",
        least=0,
        most=LARGEST_SEED,
    )

    def __post_init__(self) -> None:
        check_settings(self, "training")
