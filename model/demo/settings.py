"""How large the demo's world is, and how much its model learns from; nothing heavy is imported."""

from dataclasses import dataclass, field

MODEL = "demo"
"""The checkpoint's folder below the store's `models`."""


@dataclass(frozen=True)
class DemoTraining:
    """How much the demo's model learns from: scenes, each drawn twice, and passes over them.

    `side` of the views in pixels; `validation` is the share of rows that chooses the best pass.
    """

    seed: int = 7272
    scenes: int = 600
    epochs: int = 8
    side: int = 64
    validation: float = 0.1


@dataclass(frozen=True)
class DemoSettings:
    """How large the world is: source scenes, challenges, uids of the simulated subnet, possible
    images of a level 2 or 3 challenge, and what the model learns from.
    """

    seed: int = 72
    scenes: int = 144
    challenges: int = 720
    uids: int = 40
    validators: int = 3
    synthetic_share: float = 1 / 3
    variants: int = 4
    training: DemoTraining = field(default_factory=DemoTraining)
