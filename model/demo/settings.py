"""Sizes of the demo's simulated world and of its training; imports nothing heavy."""

from dataclasses import dataclass, field

MODEL = "demo"
"""The checkpoint's folder below the store's `models`."""


@dataclass(frozen=True)
class DemoTraining:
    """The size of the training: scenes, each drawn with and without roadwork, and epochs.

    `side` of the views in pixels; `validation` is the share of rows in the validation split.
    """

    seed: int = 7272
    scenes: int = 600
    epochs: int = 8
    side: int = 64
    validation: float = 0.1


@dataclass(frozen=True)
class DemoSettings:
    """The size of the simulated world.

    Source scenes, challenges, uids and validators of the simulated subnet, the share of synthetic
    sources, variants of a level 2 or 3 challenge, and the training.
    """

    seed: int = 72
    scenes: int = 144
    challenges: int = 720
    uids: int = 40
    validators: int = 3
    synthetic_share: float = 1 / 3
    variants: int = 4
    training: DemoTraining = field(default_factory=DemoTraining)
